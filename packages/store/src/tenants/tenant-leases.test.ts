import { LossyPort } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { connectRedis } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { logger, useRedis } from '../testing/redis-fixture.js';
import { TenantLeases } from './tenant-leases.js';
import { TenantLimitTable } from './tenant-limits.js';

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

/** Simulates that nothing was renewed for a long time. */
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
    code: 'TOO_MANY_REPLAYS',
    details: { resource: 'replays', limit: 3, used: 3, retryAfterMs: expect.any(Number) },
  });
  expect(await edges[0]?.count(TENANT, 'replays')).toBe(3);
  expect(await edges[0]?.count('tnt_b', 'replays')).toBe(0);
});

test('one whose answer is lost with its connection is not counted against itself', async () => {
  const lossy = await LossyPort.open(fixture.server.port);
  const url = `redis://127.0.0.1:${lossy.port}`;
  const redis = connectRedis({ url, role: 'command', name: 'lossy', logger });
  const limits = new TenantLimitTable(redis);
  await limits.change(TENANT, { replays: 1 });
  const leases = new TenantLeases({ redis, limits, holder: 'edge_lossy', logger });
  try {
    // After this Redis knows the script.
    (await leases.take('tnt_b', 'replays'))();
    lossy.loseAnswer('edge_lossy/', 'cut');
    await leases.take(TENANT, 'replays');
    expect(await leases.count(TENANT, 'replays')).toBe(1);
    await expect(leases.take(TENANT, 'replays')).rejects.toMatchObject({ code: 'TOO_MANY_REPLAYS' });
  } finally {
    await leases.close();
    redis.disconnect();
    await lossy.close();
  }
});

test('a lease that is given back once or twice leaves room for one', async () => {
  const leases = await edge('edge_1', { replays: 1 });
  const release = await leases.take(TENANT, 'replays');
  await expect(leases.take(TENANT, 'replays')).rejects.toMatchObject({ code: 'TOO_MANY_REPLAYS' });
  release();
  release();
  const again = await leases.take(TENANT, 'replays');
  await expect(leases.take(TENANT, 'replays')).rejects.toMatchObject({ code: 'TOO_MANY_REPLAYS' });
  again();
});

test('leases of a process that was killed stop counting, and those of one that ended at once', async () => {
  const dead = await edge('edge_1', { replays: 1 });
  const living = await edge('edge_2');
  await dead.take(TENANT, 'replays');
  await expect(living.take(TENANT, 'replays')).rejects.toMatchObject({ code: 'TOO_MANY_REPLAYS' });
  await age('replays');
  await living.take(TENANT, 'replays');
  await living.close();
  expect(await living.count(TENANT, 'replays')).toBe(0);
});
