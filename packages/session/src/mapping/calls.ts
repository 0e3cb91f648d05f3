import type { BaileysEventMap, WACallEvent } from '@whiskeysockets/baileys';
import { listEvents } from './list-events.js';
import type { MappedEvent } from './mapped-event.js';
import { published } from './published.js';

/** Calls, without those that have no id: a client could not know what they are about. */
export function mapCalls(calls: BaileysEventMap['call']): MappedEvent[] {
  return listEvents(
    'call',
    'calls',
    calls.filter(({ id, chatId }) => id && chatId).map((call) => published('call', completed(call))),
  );
}

/** Adds who calls and when if the stanza does not say it: Baileys leaves these undefined or invalid then. */
function completed(call: WACallEvent): WACallEvent {
  const isDated = !Number.isNaN(call.date.getTime());
  return { ...call, from: call.from || call.chatId, date: isDated ? call.date : new Date() };
}
