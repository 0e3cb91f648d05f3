import { areJidsSameUser, normalizeMessageContent, proto, type WAMessage } from '@whiskeysockets/baileys';
import type { MappingContext } from './mapped-event.js';
import { toMessageKey } from './message-key.js';
import type { JsonObject } from './normalise.js';

/**
 * The key of the message that a "delete for everyone" deletes; undefined for any other message.
 * The revoke names its target from its sender's point of view. An author who revokes his own message shares
 * the revoke's chat and author; a group's admin names the author of what he deletes as `participant`.
 */
export function toRevokedKey(message: WAMessage, { me }: MappingContext): JsonObject | undefined {
  const revoke = normalizeMessageContent(message.message)?.protocolMessage;
  if (revoke?.type !== proto.Message.ProtocolMessage.Type.REVOKE || !revoke.key?.id) return undefined;
  const { id, participant } = revoke.key;
  const { remoteJid, participant: revoker, addressingMode } = message.key;
  const byItsAuthor =
    !participant ||
    !revoker ||
    areJidsSameUser(participant, revoker) ||
    areJidsSameUser(participant, message.key.participantAlt ?? undefined);
  if (byItsAuthor || !remoteJid) return toMessageKey({ ...message.key, id });
  const fromMe = areJidsSameUser(participant, me?.id) || areJidsSameUser(participant, me?.lid);
  return toMessageKey({
    remoteJid,
    fromMe,
    id,
    participant,
    ...(addressingMode === undefined ? {} : { addressingMode }),
  });
}
