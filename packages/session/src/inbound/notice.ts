import {
  type BinaryNode,
  cleanMessage,
  decodeMessageNode,
  jidNormalizedUser,
  proto,
  type WAMessage,
} from '@whiskeysockets/baileys';
import { isMine, type Me } from '../mapping/changes.js';
import type { PartialMessage, Unavailable } from '../mapping/unavailable.js';

/**
 * The message of a stanza as Baileys reads it, without its content. Returns undefined if Baileys refuses the stanza.
 * Never throws.
 */
export function envelopeOf(stanza: BinaryNode, me: NonNullable<Me>): WAMessage | undefined {
  try {
    const { fullMessage } = decodeMessageNode(stanza, me.id, me.lid ?? '');
    cleanMessage(fullMessage, me.id, me.lid ?? '');
    return fullMessage;
  } catch {
    return undefined;
  }
}

/** What is published of a message whose content is missing. Returns undefined if the stanza names no message. */
export function noticeOf(
  stanza: BinaryNode,
  me: NonNullable<Me>,
  reason: Unavailable['reason'],
): PartialMessage | undefined {
  const message = envelopeOf(stanza, me) ?? namedBy(stanza, me);
  if (message === undefined) return undefined;
  const key = reason === 'view-once' ? { ...message.key, isViewOnce: true } : message.key;
  return {
    ...message,
    key,
    messageStubType: proto.WebMessageInfo.StubType.CIPHERTEXT,
    unavailable: { type: 'content', reason },
  };
}

/** For a stanza that Baileys refuses, because the sender is of an unknown kind or contradicts itself. */
function namedBy({ attrs }: BinaryNode, me: Me): WAMessage | undefined {
  const { id, from, participant, t, notify } = attrs;
  if (!id || !from) return undefined;
  return {
    key: {
      remoteJid: jidNormalizedUser(from) || from,
      fromMe: isMine(participant ?? from, me),
      id,
      ...(participant ? { participant: jidNormalizedUser(participant) || participant } : {}),
    },
    ...(Number.isFinite(Number(t)) ? { messageTimestamp: Number(t) } : {}),
    ...(notify ? { pushName: notify } : {}),
  };
}
