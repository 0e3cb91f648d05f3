import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { useRedis } from '../testing/redis-fixture.js';
import { DrainTurns } from './drain-turns.js';

const fixture = useRedis();

test('one worker drains at a time, and who has the least time left goes next', async () => {
  const turns = new DrainTurns(fixture.redis);
  expect(await turns.take('wrk_a', { timeLeftMs: 90_000 })).toMatchObject({ hasTurn: true });
  expect(await turns.take('wrk_a', { timeLeftMs: 80_000 })).toMatchObject({ hasTurn: true });
  expect(await turns.take('wrk_b', { timeLeftMs: 90_000 })).toMatchObject({ hasTurn: false });
  expect(await turns.take('wrk_c', { timeLeftMs: 30_000 })).toMatchObject({ hasTurn: false });
  await turns.giveBack('wrk_a');
  expect(await turns.take('wrk_b', { timeLeftMs: 80_000 })).toMatchObject({ hasTurn: false });
  expect(await turns.take('wrk_c', { timeLeftMs: 20_000 })).toMatchObject({ hasTurn: true });
  await turns.giveBack('wrk_c');
  expect(await turns.take('wrk_b', { timeLeftMs: 70_000 })).toMatchObject({ hasTurn: true });
  await turns.giveBack('wrk_b');
  expect(await fixture.redis.keys('*')).toEqual([]);
});

test('a holder that died frees its turn, and one that died in the line holds up no other', async () => {
  const turns = new DrainTurns(fixture.redis);
  await turns.take('wrk_dead', { timeLeftMs: 1_000 });
  await turns.take('wrk_waited', { timeLeftMs: 2_000 });
  expect(await turns.take('wrk_b', { timeLeftMs: 50_000 })).toMatchObject({ hasTurn: false });
  // Simulates that their time has passed.
  await fixture.redis.zadd(keys.drainTurns, 1, 'wrk_dead');
  await fixture.redis.zadd(keys.drainLineLife, 1, 'wrk_waited');
  expect(await turns.take('wrk_b', { timeLeftMs: 50_000 })).toMatchObject({ hasTurn: true });
});

test('a holder gets a share of the time, so that all in the line can drain before their time is up', async () => {
  const turns = new DrainTurns(fixture.redis);
  const shareOf = async () => (await turns.take('wrk_a', { timeLeftMs: 50_000 })).shareMs;
  expect(await shareOf()).toBe(50_000);
  await turns.take('wrk_b', { timeLeftMs: 60_000 });
  // The remaining time for two, then three workers, minus the duration of the calls.
  expect((await shareOf()) / 30_000).toBeCloseTo(1, 1);
  await turns.take('wrk_c', { timeLeftMs: 30_000 });
  expect((await shareOf()) / 15_000).toBeCloseTo(1, 1);
  await turns.take('wrk_d', { timeLeftMs: 61_000 });
  expect((await shareOf()) / 15_000).toBeCloseTo(1, 1);
});
