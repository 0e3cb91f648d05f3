import { waitFor } from '@wafleet/testkit';
import { describe, expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import { useRedis } from '../testing/redis-fixture.js';
import { LEASE_MS, WorkerRegistry } from './worker-registry.js';

const fixture = useRedis();
const registryOf = () => new WorkerRegistry(fixture.redis);
const heartbeat = (id: string) => ({
  id,
  host: 'host-1',
  release: '1.0.0',
  capacity: 100,
  sessions: 3,
  draining: false,
  idlest: [{ tenantId: 'acme', sessionId: 'shop' }],
});

describe('a lease', () => {
  test('is taken once, renewed and released', async () => {
    const registry = registryOf();
    expect(await registry.acquireLease('wrk_a')).toBe(true);
    expect(await registryOf().acquireLease('wrk_a')).toBe(false);
    await fixture.redis.pexpire(keys.lease('wrk_a'), 5000);
    expect(await registry.renewLease('wrk_a')).toBe('renewed');
    const life = await fixture.redis.pttl(keys.lease('wrk_a'));
    expect(life).toBeGreaterThan(5000);
    expect(life).toBeLessThanOrEqual(LEASE_MS);
    await registry.beat(heartbeat('wrk_a'));
    await registry.releaseLease('wrk_a');
    expect(await fixture.redis.keys('*')).toEqual([keys.pulse]);
  });

  test('whose request reached Redis twice is taken nevertheless', async () => {
    const acquireLease = new Script('workers/acquire-lease', asNumber);
    const send = (attempt: string) =>
      acquireLease.run(
        fixture.redis,
        [keys.lease('wrk_a'), keys.identity('wrk_a'), keys.lease('wrk_a')],
        [attempt, LEASE_MS, 'wrk_a', ''],
      );
    expect([await send('one'), await send('one'), await send('two')]).toEqual([1, 1, 0]);
  });

  test('that has expired is lost permanently', async () => {
    const registry = registryOf();
    await registry.acquireLease('wrk_a');
    await fixture.redis.pexpire(keys.lease('wrk_a'), 1);
    await waitFor(async () => (await registry.aliveIds(['wrk_a'])).size === 0, {
      what: 'the end of the lease',
    });
    expect(await registry.renewLease('wrk_a')).toBe('lost');
    expect(await registry.aliveIds(['wrk_a'])).toEqual(new Set());
  });

  test('is not called lost while Redis is out of reach', async () => {
    const redis = fixture.connect('command');
    const registry = new WorkerRegistry(redis);
    await registry.acquireLease('wrk_a');
    redis.disconnect();
    await expect(registry.renewLease('wrk_a')).rejects.toThrow();
  });
});

describe('an identity', () => {
  test('belongs to one living incarnation', async () => {
    const registry = registryOf();
    expect(await registry.identityHeldForMs('pod-1')).toBe(0);
    expect(await registry.acquireLease('wrk_a', 'pod-1')).toBe(true);
    expect(await registry.identityHeldForMs('pod-1')).toBeGreaterThan(0);
    expect(await registryOf().acquireLease('wrk_b', 'pod-1')).toBe(false);
    expect(await registry.aliveIds(['wrk_b'])).toEqual(new Set());
    expect(await registryOf().acquireLease('wrk_b', 'pod-2')).toBe(true);
    await registry.releaseLease('wrk_a', 'pod-1');
    expect(await registryOf().acquireLease('wrk_c', 'pod-1')).toBe(true);
  });

  test('is free as soon as its holder’s lease has ended, and is taken as long as that lease is renewed', async () => {
    const registry = registryOf();
    await registry.acquireLease('wrk_a', 'pod-1');
    await fixture.redis.pexpire(keys.identity('pod-1'), 5000);
    expect(await registry.renewLease('wrk_a', 'pod-1')).toBe('renewed');
    expect(await fixture.redis.pttl(keys.identity('pod-1'))).toBeGreaterThan(5000);
    await fixture.redis.del(keys.lease('wrk_a'));
    expect(await registry.acquireLease('wrk_b', 'pod-1')).toBe(true);
    expect(await registry.renewLease('wrk_a', 'pod-1')).toBe('lost');
    expect(await registryOf().acquireLease('wrk_c', 'pod-1')).toBe(false);
  });
});

describe('heartbeats', () => {
  test('are listed with their age by the clock of Redis', async () => {
    const registry = registryOf();
    await registry.acquireLease('wrk_a');
    await registry.beat({ ...heartbeat('wrk_a'), sessions: 1 });
    await registry.beat(heartbeat('wrk_a'));
    const [worker, ...others] = await registry.list();
    expect(others).toEqual([]);
    expect(worker).toMatchObject(heartbeat('wrk_a'));
    const [seconds] = await fixture.redis.time();
    expect(Math.abs((worker?.at ?? 0) / 1000 - Number(seconds))).toBeLessThan(5);
    expect(worker?.ageMs).toBeGreaterThanOrEqual(0);
  });

  test('of workers whose lease ran out are removed, and no more are taken', async () => {
    const registry = registryOf();
    for (const id of ['wrk_a', 'wrk_b']) {
      await registry.acquireLease(id);
      await registry.beat(heartbeat(id));
    }
    await fixture.redis.del(keys.lease('wrk_a'));
    expect((await registry.list()).map(({ id }) => id)).toEqual(['wrk_b']);
    await registry.beat(heartbeat('wrk_a'));
    expect(await fixture.redis.hkeys(keys.heartbeats)).toEqual(['wrk_b']);
  });

  test('of another shape are left out', async () => {
    await fixture.redis.hset(keys.heartbeats, 'wrk_new', '{"id":"wrk_new"}');
    await registryOf().acquireLease('wrk_a');
    await registryOf().beat(heartbeat('wrk_a'));
    expect((await registryOf().list()).map(({ id }) => id)).toEqual(['wrk_a']);
  });

  test('are an empty list if there are no workers', async () => {
    expect(await registryOf().list()).toEqual([]);
    expect(await registryOf().aliveIds([])).toEqual(new Set());
  });
});

test('aliveIds distinguishes living workers from dead and unknown ones', async () => {
  const registry = registryOf();
  await registry.acquireLease('wrk_a');
  await registry.acquireLease('wrk_b');
  expect(await registry.aliveIds(['wrk_a', 'wrk_x', 'wrk_b', 'wrk_a'])).toEqual(new Set(['wrk_a', 'wrk_b']));
});

describe('after a silence of all processes', () => {
  const ago = async (milliseconds: number) => {
    const [seconds = 0] = await fixture.redis.time();
    return String(Number(seconds) * 1000 - milliseconds);
  };

  test('every worker counts as alive for a while, and after that only workers with a lease', async () => {
    const registry = registryOf();
    await registry.acquireLease('wrk_a');
    await registry.beat(heartbeat('wrk_a'));
    expect(await registry.isSettling()).toBe(false);
    expect(await registry.aliveIds(['wrk_a', 'wrk_b'])).toEqual(new Set(['wrk_a']));

    // Simulates that Redis was away for 20 s, and the lease expired meanwhile.
    await fixture.redis.del(keys.lease('wrk_a'));
    await fixture.redis.hset(keys.pulse, 'at', await ago(20_000));
    expect(await registry.aliveIds(['wrk_a', 'wrk_b'])).toEqual(new Set(['wrk_a', 'wrk_b']));
    expect(await registry.isSettling()).toBe(true);
    expect((await registry.list()).map(({ id }) => id)).toEqual(['wrk_a']);

    await fixture.redis.hset(keys.pulse, 'back', await ago(8_000));
    expect(await registry.isSettling()).toBe(false);
    expect(await registry.aliveIds(['wrk_a', 'wrk_b'])).toEqual(new Set());
    expect(await registry.list()).toEqual([]);
  });

  test('this time ends even if the clock of Redis was set back', async () => {
    const registry = registryOf();
    await fixture.redis.hset(keys.pulse, 'at', await ago(-3_600_000), 'back', await ago(-3_600_000));
    expect(await registry.isSettling()).toBe(true);
    const back = Number(await fixture.redis.hget(keys.pulse, 'back'));
    expect(back).toBeLessThanOrEqual(Number(await ago(-1_000)));
  });
});
