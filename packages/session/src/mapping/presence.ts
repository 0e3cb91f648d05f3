import type { BaileysEventMap } from '@whiskeysockets/baileys';
import type { MappedEvent } from './mapped-event.js';
import type { JsonObject } from './normalise.js';
import { published } from './published.js';

/**
 * Who in a chat is there, types or records. WhatsApp sends it for chats that were subscribed to.
 *
 * The contract's example reads `presences.available` to tell online from offline, while Baileys names people only.
 * So whoever is online stands under `available` as well, in the form of every other entry.
 */
export function mapPresence({ id, presences }: BaileysEventMap['presence.update']): MappedEvent[] {
  const people = Object.entries(presences).map(([person, presence]): [string, JsonObject] => [
    person,
    published('presence', presence),
  ]);
  const online = people.find(([, { lastKnownPresence }]) => lastKnownPresence !== 'unavailable');
  const told: JsonObject = Object.fromEntries(people);
  if (online !== undefined) told.available = online[1];
  return [{ event: 'presence.update', payload: { id, presences: told } }];
}
