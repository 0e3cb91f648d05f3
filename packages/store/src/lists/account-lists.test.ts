import { expect, test } from 'vitest';
import { Cipher } from '../auth/cipher.js';
import { EventLog } from '../events/event-log.js';
import { keys } from '../redis/keyspace.js';
import { FencedError } from '../redis/session-ref.js';
import { everythingIn, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { AccountLists, deleteLists, type SealedEntry } from './account-lists.js';

const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const cipher = Cipher.fromHexKeys('22'.repeat(32));
const store = () => new AccountLists({ redis: fixture.redis, cipher });
const lists = (ref = shop) => store().ofSession(ref);
const event = { event: 'chats.update', body: '{"a":1}' } as const;
const own = () => ownedSession(fixture.redis, shop, 'wrk_a');
const lid = (user: number) => `${user}@lid`;

async function write(...entries: readonly SealedEntry[]) {
  const fence = await own();
  await new EventLog(fixture.redis).append(fence, [event], { entries });
  return fence;
}

const ids = ({ items }: { items: readonly { readonly id: string }[] }) => items.map(({ id }) => id);

test('entries are written with events, and nothing of them but the id can be read in Redis', async () => {
  await write(
    lists().sealChat(lid(1), { name: 'a secret name', unread: 2 }, 100),
    lists().sealContact(lid(1), { name: 'a secret name', phone: '15550001001' }),
  );
  expect(await lists().readChats([lid(1), lid(2)])).toEqual([
    { name: 'a secret name', unread: 2 },
    undefined,
  ]);
  expect(await lists().readContacts([lid(1)])).toEqual([{ name: 'a secret name', phone: '15550001001' }]);
  expect(await lists({ ...shop, sessionId: 'desk' }).readChats([lid(1)])).toEqual([undefined]);
  const everything = await everythingIn(fixture.redis);
  expect(everything.includes('secret name')).toBe(false);
  expect(everything.includes('15550001001')).toBe(false);
});

test('a worker that no longer owns the session writes nothing', async () => {
  const fence = await own();
  const stale = { ...fence, epoch: fence.epoch + 1 };
  const entries = [lists().sealChat(lid(1), {}, 100)];
  const log = new EventLog(fixture.redis);
  await expect(log.append(stale, [event], { entries })).rejects.toThrow(FencedError);
  await expect(store().clear(stale)).rejects.toThrow(FencedError);
  expect(await lists().readChats([lid(1)])).toEqual([undefined]);
});

test('an append that is sent again, because its answer was lost, writes nothing a second time', async () => {
  const fence = await own();
  const log = new EventLog(fixture.redis);
  await log.append(fence, [event], { batch: 1, entries: [lists().sealChat(lid(1), { unread: 1 }, 100)] });
  await log.append(fence, [event], { batch: 1, entries: [lists().sealChat(lid(1), { unread: 2 }, 200)] });
  expect(await lists().readChats([lid(1)])).toEqual([{ unread: 1 }]);
});

test('entries are written without events, and with secrets and finished messages', async () => {
  const fence = await own();
  const log = new EventLog(fixture.redis);
  await log.append(fence, [], { entries: [lists().sealChat(lid(1), { unread: 1 }, 100)] });
  const secrets = [{ id: 'A1', sealed: Buffer.from('x') }];
  const entries = [lists().sealChat(lid(2), { unread: 2 }, 100)];
  const finishing = { secrets, entries, finishedDigests: ['12345678'], deletedFields: ['inbox:1'] };
  await log.append(fence, [event, event], finishing);
  expect(await lists().readChats([lid(1), lid(2)])).toEqual([{ unread: 1 }, { unread: 2 }]);
  expect(await fixture.redis.hkeys(keys.secrets(shop)[0] ?? '')).toEqual(['A1']);
  expect((await log.read('tnt_a', { after: undefined, count: 10 })).events).toHaveLength(2);
});

test('the chat in which something happened last comes first, also within a second', async () => {
  await write(
    lists().sealChat(lid(1), {}, 100),
    lists().sealChat(lid(2), {}, 100),
    lists().sealChat(lid(3), {}, 99),
    lists().sealChat(lid(4), {}),
  );
  expect(ids(await lists().pageOfChats({ count: 10 }))).toEqual([lid(2), lid(1), lid(3), lid(4)]);
  await write(lists().sealChat(lid(3), { unread: 1 }, 101), lists().sealChat(lid(1), { unread: 1 }));
  expect(ids(await lists().pageOfChats({ count: 10 }))).toEqual([lid(3), lid(2), lid(1), lid(4)]);
  await write(lists().sealChat(lid(2), undefined));
  expect(ids(await lists().pageOfChats({ count: 10 }))).toEqual([lid(3), lid(1), lid(4)]);
});

test('pages neither repeat nor miss a chat that stays where it is, while others move and go', async () => {
  await write(...[1, 2, 3, 4, 5, 6].map((user) => lists().sealChat(lid(user), {}, 100)));
  const first = await lists().pageOfChats({ count: 3 });
  expect(ids(first)).toEqual([lid(6), lid(5), lid(4)]);
  await write(lists().sealChat(lid(4), {}, 200), lists().sealChat(lid(2), undefined));
  const second = await lists().pageOfChats({ count: 3, below: first.next });
  expect(ids(second)).toEqual([lid(3), lid(1)]);
  expect(second.next).toBeUndefined();
});

test('saved contacts come before others, and the one that was added last before earlier ones', async () => {
  await write(
    lists().sealContact(lid(1), { pushName: 'a' }),
    lists().sealContact(lid(2), { name: 'b' }),
    lists().sealContact(lid(3), { name: 'c' }),
    lists().sealContact(lid(4), { pushName: 'd' }),
  );
  expect(ids(await lists().pageOfContacts({ count: 9 }))).toEqual([lid(3), lid(2), lid(4), lid(1)]);
  expect(ids(await lists().pageOfContacts({ count: 9, savedOnly: true }))).toEqual([lid(3), lid(2)]);
  await write(
    lists().sealContact(lid(1), { name: 'a' }),
    lists().sealContact(lid(2), { pushName: 'b' }),
    lists().sealContact(lid(3), { name: 'C' }),
  );
  expect(ids(await lists().pageOfContacts({ count: 9 }))).toEqual([lid(1), lid(3), lid(2), lid(4)]);
});

test('a full list drops its last place and says so', async () => {
  const [chats, order, contacts, contactOrder] = keys.lists(shop);
  const users = Array.from({ length: 20_000 }, (_, user) => user);
  const sealed = Buffer.from('x');
  const fill = (key: string, count: number) =>
    fixture.redis.hset(key, Object.fromEntries(users.slice(0, count).map((user) => [lid(user), sealed])));
  const place = (key: string, count: number) =>
    fixture.redis.zadd(key, ...users.slice(0, count).flatMap((user) => [user, lid(user)]));
  await Promise.all([fill(chats, 10_000), place(order, 10_000)]);
  await Promise.all([fill(contacts, 20_000), place(contactOrder, 20_000)]);
  expect(await lists().pageOfChats({ count: 1 })).toMatchObject({ hasDropped: false });

  await write(lists().sealChat('new@lid', {}, 100), lists().sealContact('new@lid', { name: 'New' }));
  expect(await fixture.redis.hlen(chats)).toBe(10_000);
  expect(await fixture.redis.hlen(contacts)).toBe(20_000);
  expect(await fixture.redis.hexists(chats, lid(0))).toBe(0);
  expect(await fixture.redis.hexists(contacts, lid(0))).toBe(0);
  expect(await lists().pageOfChats({ count: 1 })).toMatchObject({
    hasDropped: true,
    items: [{ id: 'new@lid' }],
  });
  expect(await lists().pageOfContacts({ count: 1 })).toMatchObject({ hasDropped: true });
});

test('lists are deleted by the owner, and for a session without one', async () => {
  const fence = await write(lists().sealChat(lid(1), {}, 1), lists().sealContact(lid(1), { name: 'a' }));
  await store().noteFilled(fence);
  expect(await lists().wasFilled()).toBe(true);
  await store().clear(fence);
  expect(await fixture.redis.exists(...keys.lists(shop))).toBe(0);
  expect(await lists().wasFilled()).toBe(false);
  await write(lists().sealChat(lid(1), {}, 1));
  await deleteLists(fixture.redis, shop);
  expect(await fixture.redis.exists(...keys.lists(shop))).toBe(0);
});

test.each(keys.lists(shop))('%s of another type stops no append, and is replaced', async (key) => {
  await write(lists().sealChat(lid(1), { unread: 1 }, 1), lists().sealContact(lid(1), { name: 'a' }));
  await fixture.redis.set(key, 'later');
  await lists().readChats([lid(1)]);
  await lists().pageOfChats({ count: 1 });
  await write(lists().sealChat(lid(2), { unread: 2 }, 2), lists().sealContact(lid(2), { name: 'b' }));
  expect(ids(await lists().pageOfChats({ count: 1 }))).toEqual([lid(2)]);
  expect(ids(await lists().pageOfContacts({ count: 1 }))).toEqual([lid(2)]);
});

test('entries of an earlier key are sealed with the current one, and keep their places', async () => {
  await write(
    ...[1, 2, 3].map((user) => lists().sealChat(lid(user), { unread: user }, user)),
    lists().sealContact(lid(1), { name: 'a' }),
    lists().sealContact(lid(2), { pushName: 'b' }),
  );
  const rotating = Cipher.fromHexKeys(`${'33'.repeat(32)},${'22'.repeat(32)}`);
  const next = new AccountLists({ redis: fixture.redis, cipher: rotating });
  expect([next.isRotating, store().isRotating]).toEqual([true, false]);
  const first = await next.ofSession(shop).resealed('c', { count: 2 });
  expect(ids({ items: first.entries })).toEqual([lid(3), lid(2)]);
  const second = await next.ofSession(shop).resealed('c', { count: 2, below: first.next });
  const contacts = await next.ofSession(shop).resealed('p', { count: 9 });
  await write(...first.entries, ...second.entries, ...contacts.entries);
  expect((await next.ofSession(shop).resealed('c', { count: 9 })).entries).toEqual([]);

  const after = new AccountLists({ redis: fixture.redis, cipher: Cipher.fromHexKeys('33'.repeat(32)) });
  expect(ids(await after.ofSession(shop).pageOfChats({ count: 9 }))).toEqual([lid(3), lid(2), lid(1)]);
  expect(ids(await after.ofSession(shop).pageOfContacts({ count: 9 }))).toEqual([lid(1), lid(2)]);
});

test('a place without an entry is left out, and the page goes on after it', async () => {
  await write(...[1, 2, 3].map((user) => lists().sealChat(lid(user), {}, user)));
  await fixture.redis.hdel(keys.lists(shop)[0], lid(3));
  const page = await lists().pageOfChats({ count: 2 });
  expect(ids(page)).toEqual([lid(2)]);
  expect(ids(await lists().pageOfChats({ count: 2, below: page.next }))).toEqual([lid(1)]);
});

test('an entry that cannot be opened is left out, and the page goes on after it', async () => {
  await write(...[1, 2, 3].map((user) => lists().sealChat(lid(user), {}, user)));
  await fixture.redis.hset(keys.lists(shop)[0], lid(2), 'damaged');
  const page = await lists().pageOfChats({ count: 2 });
  expect(ids(page)).toEqual([lid(3)]);
  expect(ids(await lists().pageOfChats({ count: 2, below: page.next }))).toEqual([lid(1)]);
  expect(await lists().readChats([lid(2)])).toEqual([undefined]);
});
