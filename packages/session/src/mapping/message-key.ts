import type { WAMessageKey } from '@whiskeysockets/baileys';
import { type JsonObject, normaliseObject } from './normalise.js';

/**
 * A message's key as the contract has it, `*Alt` ids kept; undefined for a key that names no message. Baileys
 * writes an empty `participant` into the keys of one-to-one chats: it is left out.
 */
export function toMessageKey(key: WAMessageKey | null | undefined): JsonObject | undefined {
  if (!key?.remoteJid || !key.id) return undefined;
  const normalised = normaliseObject(key);
  for (const [field, value] of Object.entries(normalised)) {
    if (value === '' || value === null) delete normalised[field];
  }
  return normalised;
}
