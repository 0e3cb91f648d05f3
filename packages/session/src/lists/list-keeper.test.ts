import { DEFAULT_SETTINGS } from '@wafleet/contract';
import { createLogger, PartitionedLru } from '@wafleet/runtime';
import {
  AccountLists,
  Cipher,
  connectRedis,
  EventLog,
  type Fence,
  Ownership,
  type RedisConnection,
  SessionDirectory,
} from '@wafleet/store';
import { startRedis, type TestRedis } from '@wafleet/testkit';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { CachedEntry } from '../caches/session-caches.js';
import type { MappedEvent } from '../mapping/mapped-event.js';
import { ListKeeper } from './list-keeper.js';

const logger = createLogger({ app: 'test', level: 'silent' });
const cipher = Cipher.fromHexKeys('5a'.repeat(32));
const BY_NUMBER = '4915100000001@s.whatsapp.net';
const BY_LID = '111@lid';
const PAIR = { id: BY_LID, lid: BY_LID, phoneNumber: BY_NUMBER };
const ME = '4915100000009@s.whatsapp.net';

let server: TestRedis;
let redis: RedisConnection;
let fence: Fence;
let keeper: ListKeeper;

beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(async () => {
  await redis.flushall();
  const ref = { tenantId: 'tnt_a', sessionId: 'shop' };
  await new SessionDirectory(redis).create(ref);
  const claim = await new Ownership(redis).claim(ref, { worker: 'wrk_a' });
  if (!('fence' in claim)) throw new Error('another worker owns the session');
  fence = claim.fence;
  keeper = keeperOf(100);
});

/** A keeper with a cache of its own, as another owner has one. */
function keeperOf(cached: number): ListKeeper {
  return new ListKeeper({
    ...{ fence, logger },
    accountLists: new AccountLists({ redis, cipher }),
    cache: new PartitionedLru<CachedEntry>({ max: cached }).createPartition(),
    inForce: { settings: { ...DEFAULT_SETTINGS, lists: true } },
    account: { current: { me: { id: ME } } },
  });
}

/** Appends what the outbox would append with these events. */
async function happen(...events: MappedEvent[]): Promise<number> {
  const entries = await keeper.prepare(events.flatMap((event) => keeper.changesIn(event)));
  await new EventLog(redis).append(fence, [], { entries });
  return entries.length;
}

const chatsUpdate = (...chats: MappedEvent['payload'][]): MappedEvent => ({
  event: 'chats.update',
  payload: { chats },
});
const contactsUpdate = (...contacts: MappedEvent['payload'][]): MappedEvent => ({
  event: 'contacts.update',
  payload: { contacts },
});
const message = (remoteJid: string, id: string, at: number, more: object = {}): MappedEvent => ({
  event: 'messages.upsert',
  payload: {
    messages: [
      { key: { remoteJid, id, fromMe: false }, message: { conversation: 'x' }, messageTimestamp: at },
    ],
    type: 'notify',
    ...more,
  },
});
const chats = async () =>
  (await keeper.stored.pageOfChats({ count: 10 })).items.map(({ id, entry }) => ({ id, ...entry }));
const contacts = async () =>
  (await keeper.stored.pageOfContacts({ count: 10 })).items.map(({ id, entry }) => ({ id, ...entry }));

it.each([
  ['in memory', 100],
  ['no longer in memory', 1],
])(
  'a person who was met by both ids is one, under the LID, once the pair is known: entries %s',
  async (_, cached) => {
    keeper = keeperOf(cached);
    await happen(
      message(BY_NUMBER, 'A1', 100),
      chatsUpdate({ id: BY_NUMBER, unreadCount: 1, archived: true }),
    );
    await happen(contactsUpdate({ id: BY_NUMBER, name: 'Ada' }));
    await happen(message(BY_LID, 'A2', 200), chatsUpdate({ id: BY_LID, unreadCount: 2 }));
    await happen(contactsUpdate({ id: BY_LID, notify: 'ada' }));
    expect((await chats()).map(({ id }) => id)).toEqual([BY_LID, BY_NUMBER]);
    await happen(contactsUpdate(PAIR));
    const ids = { id: BY_LID, lid: BY_LID, phone: '4915100000001' };
    const last = { id: 'A2', at: 200, fromMe: false };
    expect(await chats()).toMatchObject([{ ...ids, unread: 3, archived: true, at: 200, last }]);
    expect(await contacts()).toMatchObject([{ ...ids, name: 'Ada', pushName: 'ada' }]);
  },
);

it('a pair alone lists no chat, and no contact without a name', async () => {
  expect(await happen(contactsUpdate(PAIR))).toBe(0);
  expect([await chats(), await contacts()]).toEqual([[], []]);
});

it('what changes nothing writes nothing', async () => {
  const name = contactsUpdate({ id: BY_LID, notify: 'ada' });
  expect(await happen(name)).toBe(1);
  expect(await happen(name)).toBe(0);
  keeper = keeperOf(100);
  expect(await happen(name)).toBe(0);
});

it('a history does not replace what is known, and adds what is not', async () => {
  await happen(
    message(BY_LID, 'A2', 200),
    chatsUpdate({ id: BY_LID, unreadCount: 1 }, { id: BY_LID, archived: false }),
  );
  const old = { id: BY_LID, unreadCount: 7, archived: true, name: 'Ada', conversationTimestamp: 100 };
  await happen(
    { event: 'chats.upsert', payload: { chats: [old], history: true } },
    message(BY_LID, 'A1', 100, { history: true }),
  );
  expect(await chats()).toMatchObject([
    { unread: 1, archived: false, name: 'Ada', at: 200, last: { id: 'A2' } },
  ]);
});

it.each([
  [
    'a receipt of the phone',
    { key: { remoteJid: BY_LID, id: 'A1', fromMe: false }, update: { status: 4 } },
    0,
  ],
  [
    'a receipt of another one',
    { key: { remoteJid: BY_LID, id: 'A1', fromMe: true }, update: { status: 4 } },
    2,
  ],
  [
    'a receipt of an earlier message',
    { key: { remoteJid: BY_LID, id: 'A0', fromMe: false }, update: { status: 4 } },
    2,
  ],
])('%s leaves what is unread', async (_, update, unread) => {
  await happen(message(BY_LID, 'A1', 100), chatsUpdate({ id: BY_LID, unreadCount: 2 }));
  await happen({ event: 'messages.update', payload: { updates: [update] } });
  expect(await chats()).toMatchObject([{ unread }]);
});

it('a chat whose messages are cleared has no last one, and a group that was left is read only', async () => {
  const group = '120363061982759618@g.us';
  await happen(message(group, 'A1', 100), {
    event: 'groups.update',
    payload: { groups: [{ id: group, subject: 'Team' }] },
  });
  const participants = [{ id: '999@lid', phoneNumber: ME }];
  await happen({
    event: 'group-participants.update',
    payload: { id: group, action: 'remove', participants },
  });
  await happen({ event: 'messages.delete', payload: { jid: group, all: true } });
  const [chat] = await chats();
  expect(chat).toMatchObject({ id: group, name: 'Team', readOnly: true, unread: 0, at: 100 });
  expect(chat?.last).toBeUndefined();
});

it('a name is cut between characters, so that every reader of JSON takes it', async () => {
  const name = `${'a'.repeat(199)}😀`;
  await happen(contactsUpdate({ id: BY_LID, notify: name }), chatsUpdate({ id: BY_LID, name }));
  expect(await contacts()).toMatchObject([{ pushName: 'a'.repeat(199) }]);
  expect(await chats()).toMatchObject([{ name: 'a'.repeat(199) }]);
});

it('a message whose id is longer than a call takes is not named', async () => {
  await happen(message(BY_LID, 'A1', 100), message(BY_LID, 'A'.repeat(256), 200));
  expect(await chats()).toMatchObject([{ at: 200, last: { id: 'A1' } }]);
});

it.each([
  ['a status', message('status@broadcast', 'A1', 100)],
  ['a channel', message('1@newsletter', 'A1', 100)],
  ['a message without a time', message(BY_LID, 'A1', -1)],
  ['a change of a deleted chat', chatsUpdate({ id: BY_LID, deleted: true })],
])('%s is not listed', async (_, event) => {
  expect(await happen(event)).toBe(0);
});
