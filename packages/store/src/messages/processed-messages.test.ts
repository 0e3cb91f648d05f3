import { expect, test } from 'vitest';
import { EventLog } from '../events/event-log.js';
import { keys } from '../redis/keyspace.js';
import type { Fence } from '../redis/session-ref.js';
import { ownedSession, useRedis } from '../testing/redis-fixture.js';
import { digestOfMessage, ProcessedMessages } from './processed-messages.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const MOST_PER_STRING = 10_000;
const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };

const digest = (number: number) => digestOfMessage(['chat', '', '', String(number)]);

/** Appends an event that finishes each of these messages. */
async function finish(fence: Fence, numbers: readonly number[]): Promise<void> {
  const event = { event: 'call', body: '{"n":1}' } as const;
  await new EventLog(fixture.redis).append(fence, [event], { finishedDigests: numbers.map(digest) });
}

async function known(numbers: readonly number[]): Promise<number[]> {
  const digests = await new ProcessedMessages(fixture.redis).read(shop);
  return numbers.filter((number) => digests.has(digest(number)));
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

test('a message is known once its events are in the log, to its session only', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  expect(await known([1, 2])).toEqual([]);
  await finish(fence, [1]);
  await finish(fence, [2, 3]);
  expect(await known([0, 1, 2, 3, 4])).toEqual([1, 2, 3]);
  const desk = await new ProcessedMessages(fixture.redis).read({ ...shop, sessionId: 'desk' });
  expect(desk.has(digest(1))).toBe(false);
});

test('the digests of two messages do not make up that of a third', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  await finish(fence, [1, 2]);
  const digests = await new ProcessedMessages(fixture.redis).read(shop);
  expect(digests.has(`${digest(1)}${digest(2)}`.slice(3, 11))).toBe(false);
});

test('a message is known for at least a day and at most two', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const [later = '', earlier = ''] = keys.finished(shop);
  await finish(fence, [1]);
  expect(await fixture.redis.pttl(later)).toBeGreaterThan(2 * DAY_MS - 60_000);
  // Simulates more than a day later.
  await fixture.redis.pexpire(later, DAY_MS - 1);
  await finish(fence, [2]);
  expect(await fixture.redis.pttl(later)).toBeGreaterThan(2 * DAY_MS - 60_000);
  expect(await fixture.redis.pttl(earlier)).toBeLessThan(DAY_MS);
  expect(await known([1, 2])).toEqual([1, 2]);
});

test('of many messages the latest 10,000 at least are known, and 20,000 at most', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const all = range(0, 5 * 2_500 + 2 * MOST_PER_STRING);
  for (let from = 0; from < all.length; from += 2_500) await finish(fence, range(from, 2_500));
  const kept = await known(all);
  expect(kept.length).toBeGreaterThanOrEqual(MOST_PER_STRING);
  expect(kept.length).toBeLessThanOrEqual(2 * MOST_PER_STRING);
  expect(kept).toEqual(all.slice(-kept.length));
  const memory = await Promise.all(keys.finished(shop).map((key) => fixture.redis.memory('USAGE', key)));
  const bytes = memory.reduce<number>((sum, each) => sum + (each ?? 0), 0);
  expect(bytes / kept.length).toBeLessThan(20);
});

test('what a stale owner has finished is not noted', async () => {
  const stale = await ownedSession(fixture.redis, shop, 'wrk_a');
  await finish(stale, [1]);
  await fixture.redis.hset(keys.owner(shop), 'epoch', '99');
  await expect(finish(stale, [2])).rejects.toThrow();
  expect(await known([1, 2])).toEqual([1]);
});

test.each([
  ['a text of another length', (key: string) => fixture.redis.set(key, 'later')],
  ['a list', (key: string) => fixture.redis.rpush(key, 'later')],
])('%s in place of the digests stops no append, and later messages are known', async (_what, damage) => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const [later = ''] = keys.finished(shop);
  await damage(later);
  await finish(fence, [1]);
  await finish(fence, [2]);
  expect(await known([1, 2])).toEqual([1, 2]);
  expect(await fixture.redis.pttl(later)).toBeGreaterThan(0);
});
