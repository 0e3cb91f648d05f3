import {
  areJidsSameUser,
  type BaileysEventMap,
  isJidBroadcast,
  isJidGroup,
  proto,
  type WAMessage,
  type WAMessageKey,
} from '@whiskeysockets/baileys';
import { contentOf } from './unwrap.js';

const { Type } = proto.Message.ProtocolMessage;

/** This account, by its number and its LID. */
export type Me = { readonly id: string; readonly lid?: string | undefined } | undefined;

export type Changes = Partial<Pick<BaileysEventMap, 'messages.update' | 'messages.reaction'>>;

/** Whether a JID, of a device or not, is this account's. */
export function isMine(jid: string | null | undefined, me: Me): boolean {
  return areJidsSameUser(jid ?? undefined, me?.id) || areJidsSameUser(jid ?? undefined, me?.lid);
}

/**
 * The key of another message as this account sees it. A message names others from its sender's point of view: the
 * sender's own are `fromMe`, and in a one-to-one chat all others are this account's.
 */
export function fromOurView(
  carrier: WAMessageKey,
  key: proto.IMessageKey | null | undefined,
  me: Me,
): WAMessageKey {
  const id = key?.id ?? null;
  const isOfSender = key?.fromMe === true;
  const { remoteJid = null, remoteJidAlt, addressingMode } = carrier;
  const isOfMany =
    isJidGroup(remoteJid ?? undefined) === true || isJidBroadcast(remoteJid ?? undefined) === true;
  if (!isOfMany) return { ...carrier, id, fromMe: carrier.fromMe ? isOfSender : !isOfSender };
  const author = key?.participant ?? undefined;
  const isAlsoSender =
    isOfSender ||
    !author ||
    areJidsSameUser(author, carrier.participant ?? undefined) ||
    areJidsSameUser(author, carrier.participantAlt ?? undefined);
  if (isAlsoSender) return { ...carrier, id };
  return {
    remoteJid,
    ...(remoteJidAlt === undefined ? {} : { remoteJidAlt }),
    ...(addressingMode === undefined ? {} : { addressingMode }),
    id,
    fromMe: isMine(author, me),
    participant: author,
  };
}

/**
 * The key of the message that a deletion for everyone deletes; undefined for any other message. If authors delete their
 * own message, it shares the deletion's chat and author. If a group's admin deletes it, the key names the message's
 * author as `participant`.
 */
export function revokedKey(message: WAMessage, me: Me): WAMessageKey | undefined {
  const { type, key } = contentOf(message.message).protocolMessage ?? {};
  if (type !== Type.REVOKE || !key?.id) return undefined;
  // In a one-to-one chat the other person's messages cannot be deleted.
  return fromOurView(message.key, key.participant ? key : { ...key, fromMe: true }, me);
}

/**
 * The changes that a message makes to another one, in the form in which Baileys emits them (Utils/process-message.js):
 * an edit, a deletion for everyone, a reaction. For messages whose change Baileys does not see.
 * @param target the key under which the other message was published, where it is known.
 */
export function changesBy(message: WAMessage, me: Me, target?: WAMessageKey): Changes {
  const { protocolMessage, reactionMessage } = contentOf(message.message);
  if (reactionMessage?.key?.id) {
    const key = target ?? fromOurView(message.key, reactionMessage.key, me);
    return { 'messages.reaction': [{ key, reaction: { ...reactionMessage, key: message.key } }] };
  }
  if (!protocolMessage?.key?.id) return {};
  const { type, key, editedMessage, timestampMs } = protocolMessage;
  if (type === Type.REVOKE) {
    const update = { message: null, messageStubType: proto.WebMessageInfo.StubType.REVOKE, key: message.key };
    return { 'messages.update': [{ key: revokedKey(message, me) ?? message.key, update }] };
  }
  if (type !== Type.MESSAGE_EDIT || !editedMessage) return {};
  const messageTimestamp = timestampMs
    ? Math.floor(Number(String(timestampMs)) / 1_000)
    : (message.messageTimestamp ?? null);
  const update = { message: { editedMessage: { message: editedMessage } }, messageTimestamp };
  // Only the author of a message can edit it.
  return { 'messages.update': [{ key: target ?? { ...message.key, id: key.id ?? null }, update }] };
}
