import type { BaileysEventMap } from '@whiskeysockets/baileys';
import type { MappedEvent } from './mapped-event.js';
import { normaliseObject } from './normalise.js';

export function mapCalls(list: BaileysEventMap['call']): MappedEvent[] {
  const calls = list.map((call) => normaliseObject(call));
  return calls.length === 0 ? [] : [{ event: 'call', payload: { calls } }];
}
