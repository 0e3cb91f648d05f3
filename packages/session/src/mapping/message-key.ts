import type { WAMessageKey } from '@whiskeysockets/baileys';
import type { JsonObject } from './normalise.js';
import { published } from './published.js';

/**
 * A message's key as the contract has it, `*Alt` ids kept; undefined for a key that names no message. Baileys
 * writes an empty `participant` into the keys of one-to-one chats: it is left out.
 */
export function toMessageKey(key: WAMessageKey | null | undefined): JsonObject | undefined {
  if (!key?.remoteJid || !key.id) return undefined;
  const fields = Object.entries(published('messageKey', key)).filter(([, value]) => value !== '');
  return Object.fromEntries(fields);
}
