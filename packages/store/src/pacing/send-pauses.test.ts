import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { FencedError } from '../redis/session-ref.js';
import { claimed, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { SendPauses } from './send-pauses.js';

const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const MINUTE_MS = 60_000;
const threshold = 3;

async function owned() {
  return {
    pauses: new SendPauses(fixture.redis),
    fence: await ownedSession(fixture.redis, shop, 'wrk_a'),
  };
}

/** Lets the pause end, and the time of the first refusal be long ago. */
async function endPause(): Promise<void> {
  await fixture.redis.hset(keys.sendPause(shop), {
    until: Date.now() - 1,
    since: Date.now() - 100 * MINUTE_MS,
  });
}

test('the third refusal within an hour begins a pause, which another worker goes on with', async () => {
  const { pauses, fence } = await owned();
  expect(await pauses.noteRefusal(fence, { threshold })).toMatchObject({
    remainingMs: 0,
    refusals: 1,
    level: 0,
  });
  const next = await claimed(fixture.redis, shop, 'wrk_b', 'wrk_a');
  await expect(pauses.noteRefusal(fence, { threshold })).rejects.toThrow(FencedError);
  expect(await pauses.noteRefusal(next, { threshold })).toMatchObject({ remainingMs: 0, refusals: 2 });
  const begun = await pauses.noteRefusal(next, { threshold });
  expect(begun).toMatchObject({ remainingMs: 15 * MINUTE_MS, level: 1, refusals: 3, reason: 'refused' });
  expect((await pauses.read(shop)).until).toBe(begun.until);
  // A refusal in a chat that goes on makes it no longer.
  expect((await pauses.noteRefusal(next, { threshold })).until).toBe(begun.until);
});

test('refusals of an hour ago do not count', async () => {
  const { pauses, fence } = await owned();
  await pauses.noteRefusal(fence, { threshold });
  await pauses.noteRefusal(fence, { threshold });
  await fixture.redis.hincrby(keys.sendPause(shop), 'since', -60 * MINUTE_MS - 1);
  expect(await pauses.noteRefusal(fence, { threshold })).toMatchObject({ remainingMs: 0, refusals: 1 });
});

test('the first refusal after a pause begins one of twice the length, up to a day', async () => {
  const { pauses, fence } = await owned();
  await pauses.noteRefusal(fence, { threshold });
  await pauses.noteRefusal(fence, { threshold });
  const lengths: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    const { remainingMs } = await pauses.noteRefusal(fence, { threshold });
    lengths.push(remainingMs / MINUTE_MS);
    await endPause();
  }
  expect(lengths).toEqual([15, 30, 60, 120, 240, 480, 960, 1_440, 1_440]);
  expect(await pauses.clear(fence)).toBe(true);
  expect(await pauses.clear(fence)).toBe(false);
  expect(await pauses.noteRefusal(fence, { threshold })).toMatchObject({
    remainingMs: 0,
    refusals: 1,
    level: 0,
  });
});

test('a time lock pauses until WhatsApp says, at most for 30 days, and its end is believed', async () => {
  const { pauses, fence } = await owned();
  const until = Date.now() + 5 * MINUTE_MS;
  expect(await pauses.noteTimeLock(fence, until)).toMatchObject({ until, level: 1, reason: 'time-lock' });
  expect((await pauses.noteTimeLock(fence, Number.MAX_SAFE_INTEGER)).remainingMs).toBe(30 * 86_400_000);
  expect(await pauses.noteTimeLock(fence, undefined)).toMatchObject({ remainingMs: 0, level: 1 });

  await pauses.clear(fence);
  await pauses.noteRefusal(fence, { threshold: 1 });
  expect((await pauses.noteTimeLock(fence, undefined)).remainingMs).toBeGreaterThan(14 * MINUTE_MS);
});

test('a clock that is set back, and a record that cannot be read, hold no session up for long', async () => {
  const { pauses, fence } = await owned();
  await pauses.noteRefusal(fence, { threshold });
  await fixture.redis.hincrby(keys.sendPause(shop), 'since', 3_600_000);
  expect(await pauses.noteRefusal(fence, { threshold })).toMatchObject({ refusals: 1 });
  await fixture.redis.hset(keys.sendPause(shop), { until: Date.now() * 2 });
  expect((await pauses.read(shop)).remainingMs).toBeLessThanOrEqual(30 * 86_400_000);
  await fixture.redis.hset(keys.sendPause(shop), { until: 'x', level: '?', refusals: '', reason: 'later' });
  expect(await pauses.read(shop)).toMatchObject({ remainingMs: 0, level: 0, refusals: 0, reason: undefined });
  await fixture.redis.set(keys.sendPause(shop), 'x');
  expect(await pauses.read(shop)).toMatchObject({ remainingMs: 0, level: 0 });
  expect(await pauses.noteRefusal(fence, { threshold: 1 })).toMatchObject({ level: 1 });
  expect(await fixture.redis.pttl(keys.sendPause(shop))).toBeGreaterThan(7 * 86_400_000);
});
