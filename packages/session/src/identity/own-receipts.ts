import {
  areJidsSameUser,
  type BinaryNode,
  getBinaryNodeChild,
  isJidMetaAI,
  isLidUser,
  isPnUser,
  type WASocket,
} from '@whiskeysockets/baileys';

type Me = { readonly id: string; readonly lid?: string | undefined };

/**
 * Whether the account itself wrote the message, on another of its devices. Messages between its devices do not count.
 */
export function isOwnCopy({ attrs }: BinaryNode, me: Me | undefined): boolean {
  if (me === undefined || attrs.category === 'peer' || attrs.participant !== undefined) return false;
  return areJidsSameUser(attrs.from, me.id) || (me.lid !== undefined && areJidsSameUser(attrs.from, me.lid));
}

/** Whether the receipt that Baileys sends names what WhatsApp expects (Socket/messages-send.js, `sendReceipt`). */
function isReceiptRight({ attrs }: BinaryNode): boolean {
  const chat = attrs.recipient ?? attrs.from;
  if (isJidMetaAI(chat)) return false;
  // Baileys names the recipient in the receipt only if the stanza has the LID of the chat.
  const alt = attrs.peer_recipient_lid ?? attrs.sender_lid;
  return isLidUser(chat) === true || (isPnUser(chat) === true && isLidUser(alt) === true);
}

/**
 * Acknowledges a message that the account wrote on another device. Baileys omits the recipient of the receipt, or names
 * another chat, if the recipient is a bot, a channel, a list, somebody on another network, or a number without a LID.
 * WhatsApp would then deliver the message again at every login.
 * @param always whether Baileys sends no receipt of its own.
 */
export async function acknowledgeOwnCopy(
  socket: WASocket,
  stanza: BinaryNode,
  { always }: { always: boolean },
): Promise<void> {
  const { id, from, recipient } = stanza.attrs;
  const isRefused = getBinaryNodeChild(stanza, 'enc')?.attrs.type === 'msmsg';
  if (id === undefined || from === undefined || isRefused) return;
  if (!always && isReceiptRight(stanza)) return;
  const attrs = { id, to: from, type: 'sender', ...(recipient === undefined ? {} : { recipient }) };
  await socket.sendNode({ tag: 'receipt', attrs });
}
