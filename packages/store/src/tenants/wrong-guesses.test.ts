import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { useRedis } from '../testing/redis-fixture.js';
import { WrongGuesses } from './wrong-guesses.js';

const fixture = useRedis();
/** Slow enough that no token comes back while a test runs. */
const RATE = { cost: 10, perSecond: 0.01, burst: 30 };
const WAITS = {
  free: 2,
  firstMs: 100_000,
  longestMs: 300_000,
  longestOfAllMs: 700_000,
  rememberMs: 3_600_000,
};

test('wrong keys of an address are counted together, whichever process reports them', async () => {
  const edge = new WrongGuesses(fixture.redis);
  const other = new WrongGuesses(fixture.connect('command'));
  expect(await edge.countKey('192.0.2.1', RATE)).toBe(20);
  expect(await other.countKey('192.0.2.1', RATE)).toBe(10);
  expect(await other.countKey('192.0.2.2', RATE)).toBe(20);
});

test('wrong keys never owe more than a full bucket, and the count expires', async () => {
  const guesses = new WrongGuesses(fixture.redis);
  let left = 0;
  for (let count = 0; count < 8; count += 1) left = await guesses.countKey('192.0.2.1', RATE);
  expect(left).toBe(-RATE.burst);
  const lifeMs = await fixture.redis.pttl(keys.wrongKeys('192.0.2.1'));
  expect(lifeMs).toBeGreaterThan(0);
  expect(lifeMs).toBeLessThanOrEqual((2 * RATE.burst * 1_000) / RATE.perSecond);
});

test('waits for wrong admin tokens double and add up, whichever process reports them', async () => {
  const edges = [new WrongGuesses(fixture.redis), new WrongGuesses(fixture.connect('command'))];
  const waits: number[] = [];
  for (let count = 0; count < 6; count += 1) {
    for (const edge of edges.slice(count % 2, (count % 2) + 1)) {
      const { wrong, waitMs } = await edge.countAdminToken('192.0.2.1', WAITS);
      expect(wrong).toBe(count + 1);
      // Some of the wait may have passed since the previous guess.
      waits.push(Math.ceil(waitMs / 100_000));
    }
  }
  expect(waits).toEqual([0, 1, 3, 6, 7, 7]);
  const lifeMs = await fixture.redis.pttl(keys.wrongAdminTokens('192.0.2.1'));
  expect(lifeMs).toBeGreaterThan(0);
});

test('the right admin token forgets the wrong ones of its address alone', async () => {
  const guesses = new WrongGuesses(fixture.redis);
  await guesses.countAdminToken('192.0.2.1', WAITS);
  await guesses.countAdminToken('192.0.2.2', WAITS);
  await guesses.forgetAdminTokens('192.0.2.1');
  expect(await guesses.countAdminToken('192.0.2.1', WAITS)).toMatchObject({ wrong: 1 });
  expect(await guesses.countAdminToken('192.0.2.2', WAITS)).toMatchObject({ wrong: 2 });
});
