import { DEFAULT_SETTINGS } from '@wafleet/contract';
import { createLogger, PartitionedLru } from '@wafleet/runtime';
import {
  Cipher,
  connectRedis,
  EventLog,
  MessageSecrets,
  ReceivedMedia,
  RecentMessages,
  type RedisConnection,
} from '@wafleet/store';
import { startRedis, type TestRedis } from '@wafleet/testkit';
import type { proto } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { People } from '../identity/people.js';
import { Outbox } from '../outbox/outbox.js';
import { AutoRead } from '../settings/auto-read.js';
import { ChatFilter } from '../settings/chat-filter.js';
import { EventPublisher } from './event-publisher.js';

const logger = createLogger({ app: 'test', level: 'silent' });
const fence = { tenantId: 'tnt_a', sessionId: 'shop', worker: 'wrk_a', epoch: 1 };
const CHARACTERS = 400 * 1024;

let server: TestRedis;
let redis: RedisConnection;

beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const encReactionMessage = {
  targetMessageKey: { id: 'T', remoteJid: '1@g.us' },
  encIv: new Uint8Array(12),
  encPayload: new Uint8Array(CHARACTERS),
};

it.each([
  ['messages of people who are not in memory', { conversation: 'x'.repeat(CHARACTERS) }],
  ['reactions that are not opened yet', { encReactionMessage }],
])('%s count with all they hold while they wait', (_, message: proto.IMessage) => {
  const reported: boolean[] = [];
  const eventLog = new EventLog(redis, { maxLength: 100 });
  const outbox = new Outbox({
    fence,
    eventLog,
    logger,
    lifecycle: { end: () => {} },
    readingGate: { hold: (_, isHeld) => reported.push(isHeld) },
  });
  const part = () => new PartitionedLru<string>({ max: 100 }).createPartition();
  const cipher = Cipher.fromHexKeys('5a'.repeat(32));
  const inForce = { settings: DEFAULT_SETTINGS };
  const publisher = new EventPublisher({
    fence,
    recentMessages: new RecentMessages({ redis, cipher }),
    messageSecrets: new MessageSecrets({ redis, cipher }),
    receivedMedia: new ReceivedMedia({ redis, cipher }),
    eventLog,
    outbox,
    account: { current: { me: { id: '4930:3@s.whatsapp.net', lid: '930:3@lid' } } },
    statusReporter: { condition: { status: 'open', reason: undefined } },
    auth: { readRecords: async () => [] },
    people: new People({
      pairs: part(),
      members: part(),
      usernames: part(),
      store: { readRecords: async () => [] },
    }),
    inForce,
    filter: new ChatFilter(inForce),
    autoRead: new AutoRead({
      ...{ inForce, outbox, logger },
      openSocket: () => undefined,
      readMessages: { note: () => {} },
    }),
    lists: { isOn: false, changesIn: () => [] },
    logger,
  });
  const publish = (number: number) => {
    const key = { remoteJid: '1@g.us', participant: `${number}@lid`, id: `A${number}`, fromMe: false };
    publisher.publish({ 'messages.upsert': { messages: [{ key, message }], type: 'notify' } });
  };
  for (let number = 0; number < 10; number += 1) publish(number);
  expect(reported).toEqual([]);
  for (let number = 10; number < 30; number += 1) publish(number);
  expect(reported).toEqual([true]);
  outbox.discard();
});
