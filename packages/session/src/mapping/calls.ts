import type { BaileysEventMap } from '@whiskeysockets/baileys';
import { listEvents } from './list-events.js';
import type { MappedEvent } from './mapped-event.js';
import { published } from './published.js';

export function mapCalls(calls: BaileysEventMap['call']): MappedEvent[] {
  return listEvents(
    'call',
    'calls',
    calls.map((call) => published('call', call)),
  );
}
