import type { BaileysEventMap, WAPresence } from '@whiskeysockets/baileys';
import type { MappedEvent } from './mapped-event.js';
import type { JsonObject } from './normalise.js';
import { published } from './published.js';

const KNOWN: Readonly<Record<WAPresence, true>> = {
  unavailable: true,
  available: true,
  composing: true,
  recording: true,
  paused: true,
};

/**
 * Who in a chat is online, types or records. WhatsApp sends it for chats that were subscribed to.
 *
 * The contract's example reads `presences.available` to distinguish online from offline, while Baileys names people
 * only. So a person who is online is listed under `available` as well, in the form of every other entry.
 *
 * Baileys copies the state from the stanza unchecked. A state that the contract does not have is left out, and so is an
 * update that names no chat.
 */
export function mapPresence({ id, presences }: BaileysEventMap['presence.update']): MappedEvent[] {
  const people = Object.entries(presences)
    .filter(([, { lastKnownPresence }]) => Object.hasOwn(KNOWN, lastKnownPresence))
    .map(([person, presence]): [string, JsonObject] => [person, published('presence', presence)]);
  if (!id || people.length === 0) return [];
  const online = people.find(([, { lastKnownPresence }]) => lastKnownPresence !== 'unavailable');
  const shown: JsonObject = Object.fromEntries(people);
  if (online !== undefined) shown.available = online[1];
  return [{ event: 'presence.update', payload: { id, presences: shown } }];
}
