import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { FencedError } from '../redis/session-ref.js';
import { claimed, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { deferRemoval } from './removal-pauses.js';
import { SessionDirectory } from './session-directory.js';

const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const HOUR_MS = 3_600_000;

async function redisNow(): Promise<number> {
  const [seconds] = await fixture.redis.time();
  return Number(seconds) * 1_000;
}

test('the attempts to remove a session are further apart each time, whichever worker makes them', async () => {
  const directory = new SessionDirectory(fixture.redis);
  let fence = await ownedSession(fixture.redis, shop, 'wrk_0');
  await directory.markRemoval(shop, { patienceMs: 24 * HOUR_MS });
  const pauses: number[] = [];
  for (let attempt = 1; attempt <= 8; attempt += 1) {
    const before = await redisNow();
    const deferred = await deferRemoval(fixture.redis, fence);
    expect(deferred?.attempts).toBe(attempt);
    expect((await directory.require(shop)).removeAfter).toBe(deferred?.nextAt);
    // Rounded down, so that neither the time of the test nor the parts of a second count.
    pauses.push(Math.floor(((deferred?.nextAt ?? 0) - before) / 15_000) * 15);
    fence = await claimed(fixture.redis, shop, `wrk_${attempt}`, `wrk_${attempt - 1}`);
  }
  expect(pauses).toEqual([30, 60, 120, 240, 480, 900, 900, 900]);
});

test('the next attempt to remove a session is never after the time at which it is removed in any case', async () => {
  const directory = new SessionDirectory(fixture.redis);
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  await directory.markRemoval(shop, { patienceMs: 10_000 });
  const { removeBy } = await directory.require(shop);
  expect(await deferRemoval(fixture.redis, fence)).toEqual({ attempts: 1, nextAt: removeBy });
});

test('a session whose removal is cancelled has no next attempt, and a new removal begins at the first', async () => {
  const directory = new SessionDirectory(fixture.redis);
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  await directory.markRemoval(shop, { patienceMs: HOUR_MS });
  await deferRemoval(fixture.redis, fence);
  await directory.unmarkRemoval(shop);
  expect(await deferRemoval(fixture.redis, fence)).toBeUndefined();
  expect(await directory.require(shop)).not.toHaveProperty('removeAfter');
  await directory.markRemoval(shop, { patienceMs: HOUR_MS });
  expect((await deferRemoval(fixture.redis, fence))?.attempts).toBe(1);
});

test('a worker that lost a session cannot put its removal off', async () => {
  const directory = new SessionDirectory(fixture.redis);
  const stale = await ownedSession(fixture.redis, shop, 'wrk_a');
  await directory.markRemoval(shop, { patienceMs: HOUR_MS });
  await claimed(fixture.redis, shop, 'wrk_b', 'wrk_a');
  await expect(deferRemoval(fixture.redis, stale)).rejects.toBeInstanceOf(FencedError);
  expect(await fixture.redis.hexists(keys.session(shop), 'removeAfter')).toBe(0);
});

test('a count of attempts that cannot be read begins again', async () => {
  const directory = new SessionDirectory(fixture.redis);
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  expect(await directory.markRemoval(shop, { patienceMs: HOUR_MS })).toBe('marked');
  expect(await directory.markRemoval(shop, { patienceMs: HOUR_MS })).toBe('was-marked');
  await fixture.redis.hset(keys.session(shop), 'removeAttempts', 'many');
  expect((await deferRemoval(fixture.redis, fence))?.attempts).toBe(1);
});
