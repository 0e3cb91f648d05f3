import { TENANT_LIMITS } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { useRedis } from '../testing/redis-fixture.js';
import { TenantLimitTable } from './tenant-limits.js';
import { TenantRates } from './tenant-rates.js';

const fixture = useRedis();
const TENANT = 'tnt_a';

async function rates(limits: Parameters<TenantLimitTable['change']>[1] = {}): Promise<TenantRates> {
  const table = new TenantLimitTable(fixture.redis);
  await table.change(TENANT, limits);
  return new TenantRates(fixture.redis, table);
}

test('tokens are taken out of both buckets or out of none, by all processes together', async () => {
  const edge = await rates({ restUnits: 1_000, restUnitsPerKey: 600 });
  const other = new TenantRates(fixture.connect('command'), new TenantLimitTable(fixture.redis));
  const buckets = (of: string) => [
    { limit: 'restUnits' } as const,
    { limit: 'restUnitsPerKey', of } as const,
  ];

  const first = await edge.take(TENANT, buckets('key_a'), { cost: 500 });
  expect(first).toMatchObject({ isTaken: true, retryAfterMs: 0 });
  expect(first.buckets).toMatchObject([
    { limit: 1_000, remaining: 500 },
    { limit: 600, remaining: 100 },
  ]);
  const refused = await other.take(TENANT, buckets('key_a'), { cost: 400 });
  expect(refused.isTaken).toBe(false);
  expect(refused.retryAfterMs).toBeGreaterThan(1_000);
  expect(refused.retryAfterMs).toBeLessThanOrEqual(TENANT_LIMITS.restUnits.windowS * 1_000);
  // The other key has a bucket of its own, and the refused call took nothing from the tenant's bucket.
  expect(await other.take(TENANT, buckets('key_b'), { cost: 500 })).toMatchObject({ isTaken: true });
  expect(await other.take(TENANT, buckets('key_c'), { cost: 200 })).toMatchObject({ isTaken: false });
  expect(await other.take('tnt_b', buckets('key_d'), { cost: 200 })).toMatchObject({ isTaken: true });
});

test('tokens come back with time', async () => {
  const edge = await rates({ restUnits: 100_000 });
  const bucket = { limit: 'restUnits' } as const;
  expect(await edge.take(TENANT, [bucket], { cost: 100_000 })).toMatchObject({ isTaken: true });
  expect(await edge.take(TENANT, [bucket], { cost: 20_000 })).toMatchObject({ isTaken: false });
  await waitFor(async () => (await edge.take(TENANT, [bucket], { cost: 100 })).isTaken, {
    what: 'a part of the tokens is back',
  });
});

test('a refusal names the limit and when to try again', async () => {
  const edge = await rates({ sessionCreations: 2 });
  const bucket = { limit: 'sessionCreations' } as const;
  await edge.require(TENANT, bucket, { cost: 1 });
  await edge.require(TENANT, bucket, { cost: 1 });
  await expect(edge.require(TENANT, bucket, { cost: 1 })).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    details: { resource: 'sessionCreations', limit: 2, retryAfterMs: expect.any(Number) },
  });
});

test('a cost that is known only afterwards may be owed, for at most two windows', async () => {
  const edge = await rates({ replayBytes: 1024 * 1024 });
  const bucket = { limit: 'replayBytes' } as const;
  expect(await edge.take(TENANT, [bucket], { cost: 2 ** 34, isDebt: true })).toMatchObject({ isTaken: true });
  const refused = await edge.take(TENANT, [bucket], { cost: 1, isDebt: true });
  expect(refused.isTaken).toBe(false);
  expect(refused.retryAfterMs).toBeLessThanOrEqual(61_000);
});

test('a debt is repaid by a new limit as soon as it is set', async () => {
  const edge = await rates({ replayBytes: 1024 * 1024 });
  const bucket = { limit: 'replayBytes' } as const;
  await edge.take(TENANT, [bucket], { cost: 2 ** 34, isDebt: true });
  await new TenantLimitTable(fixture.redis).change(TENANT, { replayBytes: 2 ** 34 });
  expect(await edge.take(TENANT, [bucket], { cost: 1, isDebt: true })).toMatchObject({ isTaken: true });
});

test('a cost beyond the whole bucket takes all of it', async () => {
  const edge = await rates({ restUnits: 100 });
  expect(await edge.take(TENANT, [{ limit: 'restUnits' }], { cost: 1_000 })).toMatchObject({
    isTaken: true,
    buckets: [{ remaining: 0 }],
  });
});

test('a bucket that is full leaves nothing in Redis, and looking takes nothing', async () => {
  const edge = await rates();
  expect(await edge.look(TENANT, [{ limit: 'restUnits' }])).toEqual([
    { limit: TENANT_LIMITS.restUnits.default, remaining: TENANT_LIMITS.restUnits.default, resetMs: 0 },
  ]);
  expect(await fixture.redis.exists(keys.tenantRate(TENANT, 'restUnits'))).toBe(0);
  await edge.take(TENANT, [{ limit: 'restUnits' }], { cost: 5_000 });
  expect(await fixture.redis.pttl(keys.tenantRate(TENANT, 'restUnits'))).toBeGreaterThan(0);
});
