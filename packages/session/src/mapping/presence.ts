import type { BaileysEventMap } from '@whiskeysockets/baileys';
import type { MappedEvent } from './mapped-event.js';
import { normaliseObject } from './normalise.js';

/** Who in a chat is there, types or records. WhatsApp sends it for chats that were subscribed to. */
export function mapPresence({ id, presences }: BaileysEventMap['presence.update']): MappedEvent[] {
  return [{ event: 'presence.update', payload: { id, presences: normaliseObject(presences) } }];
}
