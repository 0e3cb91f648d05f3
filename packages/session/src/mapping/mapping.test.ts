import { payloadSchemas } from '@wafleet/contract';
import { type BaileysEventMap, proto, type WAMessage } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { readRecordedEvents } from '../testing/recorded-events.js';
import { EVENT_RULES, isBaileysEvent, mapBaileysEvent } from './index.js';
import type { MappedEvent, MappingContext } from './mapped-event.js';

const context: MappingContext = {
  me: { id: '15550001001:1@s.whatsapp.net', lid: '107411253299441:1@lid' },
};

/** Recorded events whose kind is published, but which hold nothing that may or need be told, and why. */
const NOTHING_TO_TELL: Readonly<Record<string, string>> = {
  'creds.update of unarchive setting': 'a setting of the account',
  'creds.update of account disappearing mode': 'a setting of the account',
  'creds.update of dirty account_sync': 'a time of synchronisation',
  'creds.update of history RECENT chunk': 'the list of processed history',
  'creds.update of pre-key low': 'numbers of keys',
  'messages.upsert of on-demand history': 'a message of the own phone that carries the history itself',
  'messages.upsert of history RECENT chunk': 'a message of the own phone that carries the history itself',
  'messages.upsert of history FULL chunk (default config)': 'a message of the own phone that carries history',
};

function map<E extends keyof BaileysEventMap>(event: E, data: BaileysEventMap[E]): readonly MappedEvent[] {
  return JSON.parse(JSON.stringify(mapBaileysEvent(event, data, context)));
}

function mapRecorded(event: string, data: unknown): readonly MappedEvent[] {
  if (!isBaileysEvent(event)) throw new Error(`${event} is no event of Baileys`);
  const rule: unknown = EVENT_RULES[event];
  const mapped: unknown = typeof rule === 'function' ? rule(data, context) : [];
  return JSON.parse(JSON.stringify(mapped));
}

function expectValid({ event, payload }: MappedEvent): void {
  const envelope = { eventId: 'e-1', sessionId: 's1', timestamp: new Date().toISOString() };
  const parsed = payloadSchemas[event].safeParse({ ...payload, ...envelope });
  expect(parsed.error?.issues, `${event} ${JSON.stringify(payload)}`).toBeUndefined();
}

function groupMessage(content: proto.IMessage, key: Partial<WAMessage['key']> = {}): WAMessage {
  return {
    key: { remoteJid: '1203@g.us', fromMe: false, id: 'M', participant: '2@lid', ...key },
    message: proto.Message.fromObject(content),
    messageTimestamp: 1700000000,
  };
}

describe('the mapping of recorded events', () => {
  const recorded = readRecordedEvents();

  it('covers every recorded trigger', () => {
    expect(recorded.size).toBe(84);
  });

  it.each([...recorded])('%s: valid payloads, nothing lost without a reason', (trigger, events) => {
    for (const { event, data } of events) {
      const mapped = mapRecorded(event, data);
      for (const each of mapped) expectValid(each);
      if (!isBaileysEvent(event)) throw new Error(`${event} is no event of Baileys`);
      const rule = EVENT_RULES[event];
      const nothingToTell = NOTHING_TO_TELL[`${event} of ${trigger}`];
      if (mapped.length === 0) {
        expect('because' in rule ? rule.because : nothingToTell, `${event} of ${trigger}`).toBeTruthy();
      } else {
        expect(nothingToTell, `${event} of ${trigger}`).toBeUndefined();
      }
    }
  });

  it('lets no key material out', () => {
    const published = [...recorded.values()].flat().flatMap(({ event, data }) => mapRecorded(event, data));
    const text = JSON.stringify(published);
    expect(text).not.toMatch(
      /senderKeyDistribution|messageSecret|KeyShare|InlinePayload|nextPreKeyId|tcToken/,
    );
    expect(text).toContain('mediaKey');
  });

  it('keeps the order of a trigger’s events', () => {
    const names = (recorded.get('text (lid)') ?? []).flatMap(({ event, data }) =>
      mapRecorded(event, data).map((mapped) => mapped.event),
    );
    expect(names).toEqual(['chats.update', 'messages.upsert', 'contacts.update']);
  });
});

describe('messages', () => {
  it('gives both ids of a sender and leaves out the empty participant of a one-to-one chat', () => {
    const message: WAMessage = {
      key: { remoteJid: '1@lid', remoteJidAlt: '15@s.whatsapp.net', fromMe: false, id: 'A', participant: '' },
      message: proto.Message.fromObject({ conversation: 'hi' }),
      messageTimestamp: 1700000000,
    };
    expect(map('messages.upsert', { messages: [message], type: 'notify' })).toEqual([
      {
        event: 'messages.upsert',
        payload: {
          type: 'notify',
          messages: [
            {
              key: { remoteJid: '1@lid', remoteJidAlt: '15@s.whatsapp.net', fromMe: false, id: 'A' },
              message: { conversation: 'hi' },
              messageTimestamp: 1700000000,
            },
          ],
        },
      },
    ]);
  });

  it('does not publish peer messages, key shares or messages of key material only', () => {
    const share = { protocolMessage: { type: 6, appStateSyncKeyShare: { keys: [] } } };
    const distribution = { senderKeyDistributionMessage: { groupId: '1203@g.us' } };
    const messages = [
      groupMessage(share),
      groupMessage(distribution),
      { ...groupMessage({ conversation: 'peer' }), category: 'peer' },
    ];
    expect(map('messages.upsert', { messages, type: 'notify' })).toEqual([]);
  });

  it('derives messages.delete from a revoke by the author', () => {
    const revoke = groupMessage(
      { protocolMessage: { type: 0, key: { id: 'T', fromMe: true } } },
      { id: 'R' },
    );
    const mapped = map('messages.upsert', { messages: [revoke], type: 'notify' });
    expect(mapped.map(({ event }) => event)).toEqual(['messages.upsert', 'messages.delete']);
    expect(mapped[1]?.payload).toEqual({
      keys: [{ remoteJid: '1203@g.us', fromMe: false, id: 'T', participant: '2@lid' }],
    });
    for (const each of mapped) expectValid(each);
  });

  it('names the author, not the admin, when an admin revokes another’s message', () => {
    const target = { id: 'T', fromMe: false, participant: '107411253299441@lid' };
    const revoke = groupMessage({ protocolMessage: { type: 0, key: target } }, { id: 'R' });
    const [, deletion] = map('messages.upsert', { messages: [revoke], type: 'notify' });
    expect(deletion?.payload).toEqual({
      keys: [{ remoteJid: '1203@g.us', fromMe: true, id: 'T', participant: '107411253299441@lid' }],
    });
  });

  it('folds a receipt of a group into messages.update', () => {
    const key = { remoteJid: '1203@g.us', id: 'A', fromMe: true };
    const receipt = { userJid: '2@lid', readTimestamp: 1700000000 };
    expect(map('message-receipt.update', [{ key, receipt }])).toEqual([
      { event: 'messages.update', payload: { updates: [{ key, update: { userReceipt: [receipt] } }] } },
    ]);
  });
});

describe('history', () => {
  it('comes as upserts in chunks, marked as history', () => {
    const messages = Array.from({ length: 250 }, (_, index) =>
      groupMessage({ conversation: `${index}` }, { id: `H${index}` }),
    );
    const mapped = map('messaging-history.set', {
      chats: [{ id: '1203@g.us' }],
      contacts: [{ id: '2@lid', name: 'Carl' }],
      messages,
    });
    expect(mapped.map(({ event }) => event)).toEqual([
      'contacts.upsert',
      'chats.upsert',
      'messages.upsert',
      'messages.upsert',
      'messages.upsert',
    ]);
    for (const each of mapped) {
      expectValid(each);
      expect(each.payload.history).toBe(true);
    }
    const ids = mapped.flatMap(({ payload }) => payload.messages ?? []);
    expect(ids).toHaveLength(250);
  });
});

describe('credentials', () => {
  it('tells who the account is and nothing else', () => {
    expect(
      map('creds.update', {
        me: { id: '15:1@s.whatsapp.net', lid: '1:1@lid', name: 'Alice', imgUrl: 'x' },
        platform: 'android',
        account: {},
        advSecretKey: 'secret',
        registered: false,
      }),
    ).toEqual([
      {
        event: 'creds.update',
        payload: {
          me: { id: '15:1@s.whatsapp.net', lid: '1:1@lid', name: 'Alice' },
          platform: 'android',
          registered: true,
        },
      },
    ]);
    expect(map('creds.update', { nextPreKeyId: 5 })).toEqual([]);
  });
});
