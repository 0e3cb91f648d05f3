import { waitFor } from '@wafleet/testkit';
import { describe, expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { useRedis } from '../testing/redis-fixture.js';
import { ConnectRate } from './connect-rate.js';

const fixture = useRedis();

const VERSION = '2.3000.1';
const rateOf = (perSecond: number, options: { clientVersion?: string; pauseMs?: number } = {}) => {
  const { clientVersion = VERSION, pauseMs = 60_000 } = options;
  const pause = { first: pauseMs, longest: 4 * pauseMs };
  return new ConnectRate(fixture.redis, { perSecond, clientVersion, pauseMs: pause });
};

/** Empties the bucket, as if the last connect were granted this long ago. */
async function emptyBucket(agoMs: number): Promise<void> {
  const [seconds, microseconds] = await fixture.redis.time();
  const at = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000) - agoMs;
  await fixture.redis.hset(keys.connectBucket, { tokens: 0, at });
}

describe('the rate of connects', () => {
  test('is one bucket for all workers, which holds what comes in a second', async () => {
    const [one, other] = [rateOf(20), rateOf(20)];
    expect(await one.take({ urgent: 8, others: 0 })).toMatchObject({ urgent: 8, breaker: 'closed' });
    expect((await other.take({ urgent: 100, others: 0 })).urgent).toBeLessThanOrEqual(14);
    // So slow that no token is added before the next line, even on a busy machine.
    await emptyBucket(0);
    const empty = await rateOf(0.01).take({ urgent: 1, others: 0 });
    expect(empty.urgent).toBe(0);
    expect(empty.waitMs).toBeGreaterThan(50_000);
    expect(empty.waitMs).toBeLessThanOrEqual(100_000);
  });

  test('over any time is the configured one, however often workers ask', async () => {
    const perSecond = 100;
    const [one, other] = [rateOf(perSecond), rateOf(perSecond)];
    const startedAt = performance.now();
    let granted = 0;
    await waitFor(
      async () => {
        for (const rate of [one, other]) {
          const { urgent, others } = await rate.take({ urgent: 3, others: 50 });
          granted += urgent + others;
        }
        return granted > 250;
      },
      { what: 'connects', intervalMs: 1 },
    );
    const seconds = (performance.now() - startedAt) / 1_000;
    // The bucket itself holds the tokens of one second.
    expect(granted).toBeLessThanOrEqual(perSecond * (1 + seconds) + 1);
  });

  test('keeps a quarter for connects that a person waits for', async () => {
    const rate = rateOf(20);
    expect((await rate.take({ urgent: 0, others: 100 })).others).toBe(15);
    expect((await rate.take({ urgent: 0, others: 100 })).others).toBe(0);
    expect((await rate.take({ urgent: 5, others: 100 })).urgent).toBe(5);
  });

  test('of one a second lets one connect through at a time, of either kind', async () => {
    const rate = rateOf(1);
    expect(await rate.take({ urgent: 0, others: 2 })).toMatchObject({ others: 1 });
    await emptyBucket(1_000);
    expect(await rate.take({ urgent: 1, others: 2 })).toMatchObject({ urgent: 1, others: 0 });
  });

  test('tolerates a clock that was set back', async () => {
    const rate = rateOf(10);
    await emptyBucket(-3_600_000);
    expect(await rate.take({ urgent: 1, others: 0 })).toMatchObject({ urgent: 0 });
    await waitFor(async () => (await rate.take({ urgent: 1, others: 0 })).urgent === 1, {
      what: 'a connect',
    });
  });
});

/** What came of a connect with the only version that a worker knows. */
const refusal = { version: VERSION, purpose: 'normal', outcome: 'refused', session: undefined } as const;
const probe = { version: VERSION, purpose: 'probe', session: undefined } as const;

describe('the breaker of a client version', () => {
  test('once WhatsApp has refused the version lets only workers with another version connect', async () => {
    const [old, other] = [rateOf(20), rateOf(20)];
    await old.report(refusal);
    expect(await other.take({ urgent: 1, others: 1 })).toMatchObject({
      urgent: 0,
      others: 0,
      breaker: 'open',
    });
    const upgraded = rateOf(20, { clientVersion: '2.3000.2' });
    expect(await upgraded.take({ urgent: 1, others: 0 })).toMatchObject({ urgent: 1, breaker: 'closed' });
  });

  test('after its pause lets one probe through, and closes when that is accepted', async () => {
    const rate = rateOf(20, { pauseMs: 1 });
    await rate.report(refusal);
    await waitFor(async () => (await rate.take({ urgent: 3, others: 3 })).breaker === 'probe', {
      what: 'a probe',
    });
    expect(await rate.take({ urgent: 3, others: 3 })).toMatchObject({
      urgent: 0,
      others: 0,
      breaker: 'open',
    });
    await rate.report({ ...probe, outcome: 'accepted' });
    expect(await rate.take({ urgent: 3, others: 3 })).toMatchObject({ urgent: 3, others: 3 });
  });

  test('waits twice as long after each probe that is refused, up to its longest pause', async () => {
    const rate = rateOf(20, { pauseMs: 10_000 });
    const pause = async () => (await rate.take({ urgent: 1, others: 0 })).waitMs;
    const pauses: number[] = [];
    for (const purpose of ['normal', 'probe', 'probe', 'probe'] as const) {
      await rate.report({ ...refusal, purpose });
      pauses.push(await pause());
    }
    const rounded = pauses.map((ms) => Math.ceil(ms / 10_000) * 10_000);
    expect(rounded).toEqual([10_000, 20_000, 40_000, 40_000]);
    expect(await fixture.redis.pttl(keys.clientVersions)).toBe(-1);
  });

  test('counts the connects that were under way when it opened as one', async () => {
    const rate = rateOf(20, { pauseMs: 10_000 });
    for (let i = 0; i < 5; i += 1) await rate.report(refusal);
    expect((await rate.take({ urgent: 1, others: 0 })).waitMs).toBeLessThanOrEqual(10_000);
  });

  test('lets another probe through after one without a verdict', async () => {
    const rate = rateOf(20, { pauseMs: 1 });
    await rate.report(refusal);
    await waitFor(async () => (await rate.take({ urgent: 0, others: 1 })).others === 1, { what: 'a probe' });
    await rate.report({ ...probe, outcome: 'failed' });
    const { breaker, waitMs } = await rate.take({ urgent: 0, others: 1 });
    expect(breaker).toBe('open');
    expect(waitMs).toBeLessThanOrEqual(5_000);
    await rate.report({ ...probe, outcome: 'accepted' });
    await rate.report({ ...probe, outcome: 'failed' });
    expect((await rate.take({ urgent: 0, others: 1 })).breaker).toBe('closed');
  });
});
