import type { WAMessage } from '@whiskeysockets/baileys';
import { revokedKey } from './changes.js';
import type { MappingContext } from './mapped-event.js';
import { toMessageKey } from './message-key.js';
import type { JsonObject } from './normalise.js';

/** The key of the message that a "delete for everyone" deletes; undefined for any other message. */
export function toRevokedKey(message: WAMessage, { me }: MappingContext): JsonObject | undefined {
  return toMessageKey(revokedKey(message, me));
}
