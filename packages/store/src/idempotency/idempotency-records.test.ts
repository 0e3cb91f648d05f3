import { createHash } from 'node:crypto';
import { LossyPort, waitFor } from '@wafleet/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { connectRedis } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { TenantLimitTable } from '../tenants/tenant-limits.js';
import { logger, useRedis } from '../testing/redis-fixture.js';
import { forgetIdempotencyOf, type IdempotencyRecord, IdempotencyRecords } from './idempotency-records.js';

const fixture = useRedis();
const TENANT = 'tnt_a';
const CLAIM_MS = 60_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const first: IdempotencyRecord = { tenantId: TENANT, sessionId: 'shop', digest: 'd1' };

let limits: TenantLimitTable;
let records: IdempotencyRecords;
/** Of another edge. */
let others: IdempotencyRecords;

beforeEach(() => {
  limits = new TenantLimitTable(fixture.redis);
  records = new IdempotencyRecords(fixture.redis, limits);
  others = new IdempotencyRecords(fixture.connect('command'), limits);
});

async function claimed(record = first, by = records, claimMs = CLAIM_MS): Promise<string> {
  const claim = await by.claim(record, 'f1', claimMs);
  if (claim.outcome !== 'claimed') throw new Error(`the claim is ${claim.outcome}`);
  return claim.token;
}

const keyOf = ({ tenantId, sessionId = '', digest }: IdempotencyRecord) =>
  keys.idempotency(tenantId, `${sessionId}/${digest}`);

/** Has the claim of a record end, as after its time. */
async function endClaim(record = first): Promise<void> {
  await fixture.redis.hset(keyOf(record), 'until', '1');
}

describe('a claim', () => {
  test('is given to one of many requests at the same moment', async () => {
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? records : others).claim(first, 'f1', CLAIM_MS)),
    );
    const outcomes = asked.map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'claimed')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'running')).toHaveLength(19);
  });

  test('says how long it holds at most', async () => {
    await claimed();
    const claim = await others.claim(first, 'f1', CLAIM_MS);
    expect(claim).toEqual({ outcome: 'running', forMs: expect.any(Number) });
    const { forMs } = { forMs: 0, ...claim };
    expect(forMs).toBeGreaterThan(0);
    expect(forMs).toBeLessThanOrEqual(CLAIM_MS);
  });

  test('refuses another fingerprint while the call runs, and after it', async () => {
    const token = await claimed();
    expect(await others.claim(first, 'f2', CLAIM_MS)).toEqual({ outcome: 'reused' });
    await records.finish(first, token, 'the answer');
    expect(await others.claim(first, 'f2', CLAIM_MS)).toEqual({ outcome: 'reused' });
  });

  test('ends by itself, so that a retry acts although the first edge died', async () => {
    await claimed(first, records, 30);
    await waitFor(async () => (await others.claim(first, 'f1', CLAIM_MS)).outcome === 'claimed', {
      what: 'the end of the claim',
    });
  });

  test('that ended keeps the late answer and the late release of its edge out', async () => {
    const late = await claimed();
    await endClaim();
    const token = await claimed(first, others);
    expect(await records.finish(first, late, 'late')).toBe(false);
    await records.release(first, late, { mayHaveActed: false });
    expect(await records.claim(first, 'f1', CLAIM_MS)).toMatchObject({ outcome: 'running' });
    expect(await others.finish(first, token, 'in time')).toBe(true);
    expect(await records.claim(first, 'f1', CLAIM_MS)).toEqual({ outcome: 'done', answer: 'in time' });
  });

  test('is separate for each tenant, session and digest', async () => {
    await claimed();
    for (const record of [
      { ...first, tenantId: 'tnt_b' },
      { ...first, sessionId: 'other' },
      { ...first, sessionId: undefined },
      { ...first, digest: 'd2' },
    ]) {
      await claimed(record);
    }
  });

  test('whose answer is lost with its connection is given again', async () => {
    const lossy = await LossyPort.open(fixture.server.port);
    const url = `redis://127.0.0.1:${lossy.port}`;
    const redis = connectRedis({ url, role: 'command', name: 'lossy', logger });
    const over = new IdempotencyRecords(redis, limits);
    try {
      // After this Redis knows the scripts.
      await over.finish({ ...first, digest: 'd0' }, await claimed({ ...first, digest: 'd0' }, over), 'x');
      lossy.loseAnswer('shop/d1', 'cut');
      const token = await claimed(first, over);
      // It counts as one try: the record goes with it if nothing was done.
      await over.release(first, token, { mayHaveActed: false });
      expect(await fixture.redis.exists(keyOf(first))).toBe(0);
    } finally {
      redis.disconnect();
      await lossy.close();
    }
  });
});

describe('an answer', () => {
  test('is given to every retry, for a day', async () => {
    await records.finish(first, await claimed(), 'the answer');
    for (const edge of [records, others]) {
      expect(await edge.claim(first, 'f1', CLAIM_MS)).toEqual({ outcome: 'done', answer: 'the answer' });
    }
    for (const key of [keyOf(first), keys.idempotencyEnds(TENANT)]) {
      const left = await fixture.redis.pttl(key);
      expect(left).toBeGreaterThan(DAY_MS - 60_000);
      expect(left).toBeLessThanOrEqual(DAY_MS);
    }
  });

  test('is not stored twice', async () => {
    const token = await claimed();
    expect(await records.finish(first, token, 'first')).toBe(true);
    expect(await records.finish(first, token, 'second')).toBe(false);
    expect(await records.claim(first, 'f1', CLAIM_MS)).toEqual({ outcome: 'done', answer: 'first' });
  });
});

describe('a release', () => {
  test('of a call that did nothing leaves nothing', async () => {
    await records.release(first, await claimed(), { mayHaveActed: false });
    expect(await fixture.redis.keys('*')).toEqual([]);
    expect((await records.claim(first, 'f2', CLAIM_MS)).outcome).toBe('claimed');
  });

  test('of a call that may have acted keeps the fingerprint, also after a retry that did nothing', async () => {
    await records.release(first, await claimed(), { mayHaveActed: true });
    await records.release(first, await claimed(), { mayHaveActed: false });
    expect(await records.claim(first, 'f2', CLAIM_MS)).toEqual({ outcome: 'reused' });
    await claimed();
  });

  test('keeps the fingerprint if an edge died with the call', async () => {
    await claimed();
    await endClaim();
    await records.release(first, await claimed(first, others), { mayHaveActed: false });
    expect(await records.claim(first, 'f2', CLAIM_MS)).toEqual({ outcome: 'reused' });
  });
});

describe('the number of records', () => {
  const of = (count: number, tenantId = TENANT) => ({ ...first, tenantId, digest: `d${count}` });

  test('is bounded for each tenant, all sessions and edges together', async () => {
    await limits.change(TENANT, { idempotencyKeys: 3 });
    await claimed(of(1));
    await claimed({ ...of(2), sessionId: 'other' }, others);
    await claimed({ ...of(3), sessionId: undefined });
    await expect(others.claim(of(4), 'f1', CLAIM_MS)).rejects.toMatchObject({
      code: 'TOO_MANY_IDEMPOTENCY_KEYS',
      details: { resource: 'idempotencyKeys', limit: 3, used: 3, retryAfterMs: expect.any(Number) },
    });
    await claimed(of(4, 'tnt_b'));
  });

  test('of 10,000 takes less than 1 KB of Redis each', async () => {
    const memory = async () => Number(/^used_memory:(\d+)/m.exec(await fixture.redis.info('memory'))?.[1]);
    const before = await memory();
    const answer = JSON.stringify({ status: 200, body: { messageId: '3EB0C6C2C86D176008466F' } });
    const use = async (count: number) => {
      const record = {
        ...of(0),
        digest: createHash('sha256').update(`${count}`).digest('base64url').slice(0, 22),
      };
      await records.finish(record, await claimed(record), answer);
    };
    for (let count = 0; count < 10_000; count += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => use(count + index)));
    }
    expect(await fixture.redis.zcard(keys.idempotencyEnds(TENANT))).toBe(10_000);
    expect(((await memory()) - before) / 10_000).toBeLessThan(1_000);
  });

  test('does not keep a retry out', async () => {
    await limits.change(TENANT, { idempotencyKeys: 1 });
    await records.release(first, await claimed(), { mayHaveActed: true });
    await records.finish(first, await claimed(), 'the answer');
    expect((await records.claim(first, 'f1', CLAIM_MS)).outcome).toBe('done');
  });

  test('counts no records that have expired', async () => {
    await limits.change(TENANT, { idempotencyKeys: 1 });
    await claimed();
    await fixture.redis.zadd(keys.idempotencyEnds(TENANT), 1, 'shop/d1');
    await fixture.redis.del(keyOf(first));
    await claimed(of(2));
    expect(await fixture.redis.zcard(keys.idempotencyEnds(TENANT))).toBe(1);
  });
});

describe('a damaged record', () => {
  test.each([
    ['has another type', (key: string) => fixture.redis.set(key, 'x')],
    ['has no fingerprint', (key: string) => fixture.redis.hdel(key, 'fingerprint')],
    ['has an end that is not a number', (key: string) => fixture.redis.hset(key, 'until', 'never')],
    ['has an end in the far future', (key: string) => fixture.redis.hset(key, 'until', '9'.repeat(30))],
  ])('that %s does not keep the call from being made', async (_, damage) => {
    await claimed();
    await damage(keyOf(first));
    const token = await claimed(first, others);
    expect(await others.finish(first, token, 'the answer')).toBe(true);
    expect((await records.claim(first, 'f1', CLAIM_MS)).outcome).toBe('done');
  });

  test('of the index does not keep calls from being made, nor a session from being forgotten', async () => {
    await fixture.redis.set(keys.idempotencyEnds(TENANT), 'not a zset');
    await forgetIdempotencyOf(fixture.redis, { tenantId: TENANT, sessionId: 'shop' });
    const token = await claimed();
    await fixture.redis.set(keys.idempotencyEnds(TENANT), 'not a zset');
    expect(await records.finish(first, token, 'the answer')).toBe(true);
    expect((await records.claim(first, 'f1', CLAIM_MS)).outcome).toBe('done');
  });
});

test('forgetting a session leaves the records of others', async () => {
  for (const sessionId of ['shop', 'shop2', undefined]) await claimed({ ...first, sessionId });
  await forgetIdempotencyOf(fixture.redis, { tenantId: TENANT, sessionId: 'shop' });
  expect((await records.claim({ ...first, sessionId: 'shop2' }, 'f1', CLAIM_MS)).outcome).toBe('running');
  expect((await records.claim({ ...first, sessionId: undefined }, 'f1', CLAIM_MS)).outcome).toBe('running');
  await claimed();
});
