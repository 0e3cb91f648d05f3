import { payloadSchemas } from '@wafleet/contract';
import { type BaileysEventMap, proto, type WAMessage } from '@whiskeysockets/baileys';
import { expect } from 'vitest';
import { EVENT_RULES, isBaileysEvent, mapBaileysEvent } from '../mapping/index.js';
import type { MappedEvent, MappingContext } from '../mapping/mapped-event.js';
import type { RecordedEvent } from './recorded-events.js';

/** The account that the recorded events happened to. */
export const context: MappingContext = {
  me: { id: '15550001001:1@s.whatsapp.net', lid: '107411253299441:1@lid' },
  condition: { status: 'open', reason: undefined, since: '2026-11-22T05:54:01.118Z' },
};

/** What a client gets for an event of Baileys. Each payload is checked against the contract. */
export function map<E extends keyof BaileysEventMap>(event: E, data: BaileysEventMap[E]): MappedEvent[] {
  return checked(mapBaileysEvent(event, data, context));
}

export function mapRecorded({ event, data }: RecordedEvent): MappedEvent[] {
  if (!isBaileysEvent(event)) throw new Error(`${event} is not an event of Baileys`);
  const rule: unknown = EVENT_RULES[event];
  return checked(typeof rule === 'function' ? rule(data, context) : []);
}

function checked(mapped: readonly MappedEvent[]): MappedEvent[] {
  const published: MappedEvent[] = JSON.parse(JSON.stringify(mapped));
  for (const each of published) expectValid(each);
  return published;
}

function expectValid({ event, payload }: MappedEvent): void {
  const envelope = { eventId: 'e-1', sessionId: 's1', timestamp: new Date().toISOString() };
  const whole = { ...payload, ...envelope };
  const parsed = payloadSchemas[event].safeParse(whole);
  expect(parsed.error?.issues, `${event} ${JSON.stringify(payload)}`).toBeUndefined();
  // A field that the schema does not know is cut off.
  expect(parsed.data).toEqual(whole);
}

export function groupMessage(content: proto.IMessage, key: Partial<WAMessage['key']> = {}): WAMessage {
  return {
    key: { remoteJid: '1203@g.us', fromMe: false, id: 'M', participant: '2@lid', ...key },
    message: proto.Message.fromObject(content),
    messageTimestamp: 1700000000,
  };
}
