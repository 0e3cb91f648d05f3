import { expect, test } from 'vitest';
import { Cipher, SealedValueError } from '../auth/cipher.js';
import { keys } from '../redis/keyspace.js';
import { everythingIn, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { RecentMessages } from './recent-messages.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const cipher = Cipher.fromHexKeys('22'.repeat(32));
const messagesOf = () => new RecentMessages({ redis: fixture.redis, cipher });

test('a message comes back by its key, and nothing of it can be read in Redis', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const text = Buffer.from('a text that only its sender and receiver know');
  await messagesOf().put(fence, 'peer/A1', text);
  expect(await messagesOf().get(shop, 'peer/A1')).toEqual(text);
  expect(await messagesOf().get(shop, 'peer/A2')).toBeUndefined();
  expect(await messagesOf().get({ ...shop, sessionId: 'desk' }, 'peer/A1')).toBeUndefined();
  expect((await everythingIn(fixture.redis)).includes('only its sender')).toBe(false);
  const other = new RecentMessages({ redis: fixture.redis, cipher: Cipher.fromHexKeys('33'.repeat(32)) });
  await expect(other.get(shop, 'peer/A1')).rejects.toThrow(SealedValueError);
});

test('a message of any of the last days is found, the latest first', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  await messagesOf().put(fence, 'id', Buffer.from('today'));
  const buckets = keys.messages(shop);
  const [today] = await fixture.redis.keys('*:messages:*');
  const index = buckets.indexOf(today ?? '');
  // Simulates a week later: the messages in today's bucket were stored seven days before.
  const oldest = buckets[(index + 1) % buckets.length] ?? '';
  await fixture.redis.rename(buckets[index] ?? '', oldest);
  expect(await messagesOf().get(shop, 'id')).toEqual(Buffer.from('today'));
  await messagesOf().put(fence, 'id', Buffer.from('newer'));
  expect(await messagesOf().get(shop, 'id')).toEqual(Buffer.from('newer'));
});

test('a day that is full takes no more', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  for (const id of ['1', '2', '3']) await messagesOf().put(fence, id, Buffer.from(id), { mostPerDay: 2 });
  expect(await messagesOf().get(shop, '2')).toEqual(Buffer.from('2'));
  expect(await messagesOf().get(shop, '3')).toBeUndefined();
});

test('each day’s messages expire after seven to eight days', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  await messagesOf().put(fence, 'id', Buffer.from('x'));
  const [bucket] = await fixture.redis.keys('*:messages:*');
  const life = await fixture.redis.pttl(bucket ?? '');
  expect(life).toBeGreaterThan(7 * DAY_MS - 1000);
  expect(life).toBeLessThanOrEqual(8 * DAY_MS);
});

test('a message can be stored and read back even if all buckets are texts', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  for (const bucket of keys.messages(shop)) await fixture.redis.set(bucket, 'later');
  expect(await messagesOf().get(shop, 'A1')).toBeUndefined();
  await messagesOf().put(fence, 'A1', Buffer.from('text'));
  expect(await messagesOf().get(shop, 'A1')).toEqual(Buffer.from('text'));
});
