import { expect, test } from 'vitest';
import { DrainTurns } from './drain-turns.js';
import { keys } from './keyspace.js';
import { useRedis } from './testing/redis-fixture.js';

const fixture = useRedis();

test('one worker drains at a time, and who has the least time left goes next', async () => {
  const turns = new DrainTurns(fixture.redis);
  expect(await turns.take('wrk_a', { timeLeftMs: 90_000 })).toBe(true);
  expect(await turns.take('wrk_a', { timeLeftMs: 80_000 })).toBe(true);
  expect(await turns.take('wrk_b', { timeLeftMs: 90_000 })).toBe(false);
  expect(await turns.take('wrk_c', { timeLeftMs: 30_000 })).toBe(false);
  await turns.giveBack('wrk_a');
  expect(await turns.take('wrk_b', { timeLeftMs: 80_000 })).toBe(false);
  expect(await turns.take('wrk_c', { timeLeftMs: 20_000 })).toBe(true);
  await turns.giveBack('wrk_c');
  expect(await turns.take('wrk_b', { timeLeftMs: 70_000 })).toBe(true);
  await turns.giveBack('wrk_b');
  expect(await fixture.redis.keys('*')).toEqual([]);
});

test('a holder that died frees its turn, and one that died in the line holds up nobody', async () => {
  const turns = new DrainTurns(fixture.redis);
  await turns.take('wrk_dead', { timeLeftMs: 1_000 });
  await turns.take('wrk_waited', { timeLeftMs: 2_000 });
  expect(await turns.take('wrk_b', { timeLeftMs: 50_000 })).toBe(false);
  // As if their time had passed.
  await fixture.redis.zadd(keys.drainTurns, 1, 'wrk_dead');
  await fixture.redis.zadd(keys.drainLineLife, 1, 'wrk_waited');
  expect(await turns.take('wrk_b', { timeLeftMs: 50_000 })).toBe(true);
});
