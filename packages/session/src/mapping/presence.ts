import type { BaileysEventMap } from '@whiskeysockets/baileys';
import type { MappedEvent } from './mapped-event.js';
import { normaliseObject } from './normalise.js';

/**
 * Who in a chat is there, types or records. WhatsApp sends it for chats that were subscribed to.
 *
 * The contract's example reads `presences.available` to tell online from offline, while Baileys names people only.
 * So whoever is online stands under `available` as well, in the form of every other entry.
 */
export function mapPresence({ id, presences }: BaileysEventMap['presence.update']): MappedEvent[] {
  const online = Object.values(presences).find(
    ({ lastKnownPresence }) => lastKnownPresence !== 'unavailable',
  );
  const told = online === undefined ? presences : { ...presences, available: online };
  return [{ event: 'presence.update', payload: { id, presences: normaliseObject(told) } }];
}
