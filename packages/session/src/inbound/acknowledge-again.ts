import { type BinaryNode, isJidNewsletter, isLidUser, type WASocket } from '@whiskeysockets/baileys';
import { acknowledgeOwnCopy, isOwnCopy } from '../identity/own-receipts.js';
import { decodedMessage } from './message-digests.js';

/**
 * Acknowledges a message to WhatsApp as Baileys acknowledges one that it could decrypt (Socket/messages-recv.js,
 * `handleMessage`).
 */
export async function acknowledgeAgain(socket: WASocket, stanza: BinaryNode): Promise<void> {
  const { me } = socket.authState.creds;
  if (isOwnCopy(stanza, me)) return acknowledgeOwnCopy(socket, stanza, { always: true });
  const { key, author } = decodedMessage(stanza, me) ?? {};
  if (!key?.remoteJid || !key.id) return;
  if (isJidNewsletter(key.remoteJid)) return socket.sendMessageAck(stanza);
  const isMine = key.fromMe === true;
  const isOfLid = isLidUser(key.remoteJid) === true || isLidUser(key.remoteJidAlt ?? undefined) === true;
  const participant = isMine && isOfLid ? author : (key.participant ?? undefined);
  const type = stanza.attrs.category === 'peer' ? 'peer_msg' : isMine ? 'sender' : 'inactive';
  await socket.sendReceipt(key.remoteJid, participant, [key.id], type);
}
