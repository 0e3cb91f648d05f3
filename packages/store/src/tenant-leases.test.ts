import { afterEach, expect, test } from 'vitest';
import { keys } from './keyspace.js';
import { TenantLeases } from './tenant-leases.js';
import { TenantLimitTable } from './tenant-limits.js';
import { logger, useRedis } from './testing/redis-fixture.js';

const fixture = useRedis();
const TENANT = 'tnt_a';
let started: TenantLeases[] = [];

afterEach(async () => {
  await Promise.all(started.map((each) => each.close()));
  started = [];
});

async function edge(
  holder: string,
  limits: Parameters<TenantLimitTable['change']>[1] = {},
): Promise<TenantLeases> {
  const redis = fixture.connect('command');
  const table = new TenantLimitTable(redis);
  await table.change(TENANT, limits);
  const leases = new TenantLeases({ redis, limits: table, holder, logger });
  started.push(leases);
  return leases;
}

/** As if nothing had been renewed for long. */
async function age(resource: string): Promise<void> {
  const key = keys.tenantLeases(TENANT, resource);
  for (const lease of await fixture.redis.zrange(key, 0, '-1')) await fixture.redis.zadd(key, 1, lease);
}

test('the limit holds for all processes together, also when they ask at the same moment', async () => {
  const edges = [await edge('edge_1', { replays: 3 }), await edge('edge_2')];
  const asked = await Promise.allSettled(
    Array.from({ length: 10 }, (_, index) => edges[index % 2]?.take(TENANT, 'replays')),
  );
  const taken = asked.filter((each) => each.status === 'fulfilled');
  const refused = asked.filter((each) => each.status === 'rejected');
  expect([taken.length, refused.length]).toEqual([3, 7]);
  expect(refused[0]?.reason).toMatchObject({
    code: 'RATE_LIMITED',
    details: { resource: 'replays', limit: 3, used: 3, retryAfterMs: expect.any(Number) },
  });
  expect(await edges[0]?.count(TENANT, 'replays')).toEqual({ count: 3, weight: 0 });
  expect(await edges[0]?.count('tnt_b', 'replays')).toEqual({ count: 0, weight: 0 });
});

test('what is given back, once or twice, leaves room for one', async () => {
  const leases = await edge('edge_1', { replays: 1 });
  const release = await leases.take(TENANT, 'replays');
  await expect(leases.take(TENANT, 'replays')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  release();
  release();
  const again = await leases.take(TENANT, 'replays');
  await expect(leases.take(TENANT, 'replays')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  again();
});

test('leases of a process that was killed stop counting, and those of one that ended at once', async () => {
  const dead = await edge('edge_1', { replays: 1 });
  const living = await edge('edge_2');
  await dead.take(TENANT, 'replays');
  await expect(living.take(TENANT, 'replays')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await age('replays');
  await living.take(TENANT, 'replays');
  await living.close();
  expect(await living.count(TENANT, 'replays')).toEqual({ count: 0, weight: 0 });
});

test('weights are bounded together; a lease that is put again replaces its own', async () => {
  const leases = await edge('edge_1', { resumeBytes: 100_000, resumeRecords: 3 });
  const put = (lease: string, weight: number) =>
    leases.put(TENANT, 'resumeRecords', { lease, lifeMs: 60_000, weight });
  expect(await put('a', 60_000)).toMatchObject({ outcome: 'taken', count: 1, weight: 60_000 });
  expect(await put('b', 50_000)).toMatchObject({ outcome: 'heavy', weightLimit: 100_000 });
  expect(await put('a', 40_000)).toMatchObject({ outcome: 'taken', count: 1, weight: 40_000 });
  expect(await put('b', 50_000)).toMatchObject({ outcome: 'taken', count: 2, weight: 90_000 });
  expect(await put('c', 0)).toMatchObject({ outcome: 'taken', count: 3, weight: 90_000 });
  expect(await put('d', 0)).toMatchObject({ outcome: 'full', countLimit: 3 });
  await leases.remove(TENANT, 'resumeRecords', 'b');
  await leases.remove(TENANT, 'resumeRecords', 'b');
  expect(await leases.count(TENANT, 'resumeRecords')).toEqual({ count: 2, weight: 40_000 });
  await age('resumeRecords');
  expect(await leases.count(TENANT, 'resumeRecords')).toEqual({ count: 0, weight: 0 });
  expect(await fixture.redis.exists(keys.tenantLeaseWeights(TENANT, 'resumeRecords'))).toBe(0);
});
