import { setImmediate as nextTurn } from 'node:timers/promises';
import { createLogger } from '@wafleet/runtime';
import {
  connectRedis,
  type RedisConnection,
  TenantLeases,
  TenantLimitTable,
  TenantRates,
} from '@wafleet/store';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BufferBudget } from '../fanout/buffer-budget.js';
import { HeldBytes } from '../fanout/held-bytes.js';
import { REPLAY_PAGE_BYTES, type Replay, ReplayGate, type ReplayLimits } from './replay-gate.js';
import { ReplayRates } from './replay-rates.js';

const MIB = 1024 * 1024;

const logger = createLogger({ app: 'test', level: 'silent' });
const LIMITS: ReplayLimits = {
  maxReplays: 10,
  bytesPerSecond: 1024 ** 3,
};

let buffers: BufferBudget;
let exceeded: number;
let redis: TestRedis;
let connection: RedisConnection;
let tenants: TenantLimitTable;
let leases: TenantLeases;

beforeAll(async () => {
  redis = await startRedis();
  connection = connectRedis({ url: redis.url, role: 'command', name: 'test', logger });
  tenants = new TenantLimitTable(connection);
  leases = new TenantLeases({ redis: connection, limits: tenants, holder: 'edge_test', logger });
});
afterAll(async () => {
  await leases.close();
  connection.disconnect();
  await redis.stop();
});

/** The turns that came, by tenant and key; a turn ends when its entry is called. */
let turns: { name: string; end: () => void }[];

beforeEach(() => {
  const limits = { maxBytes: 16 * REPLAY_PAGE_BYTES };
  buffers = new BufferBudget({ limits, tenantBytes: () => 8 * REPLAY_PAGE_BYTES, logger });
  exceeded = 0;
  turns = [];
});
afterEach(() => buffers.close());

function gateWith(limits: Partial<ReplayLimits> = {}): ReplayGate {
  return new ReplayGate(
    { ...LIMITS, ...limits },
    {
      ...{ buffers, leases },
      rates: new ReplayRates(new TenantRates(connection, tenants), logger),
      onExceeded: () => {
        exceeded += 1;
      },
    },
  );
}

function ask(gate: ReplayGate, tenantId: string, keyId = 'a', cost = 0): Replay {
  const replay = gate.begin({ tenantId, keyId });
  const read = () =>
    new Promise<number>((resolve) => {
      turns.push({ name: `${tenantId}${keyId}`, end: () => resolve(cost) });
    });
  void replay.read(read, (bytes) => bytes).finally(() => replay.end());
  return replay;
}

/** Ends each turn as it comes, until `count` turns have come. */
async function served(count: number): Promise<string[]> {
  let ended = 0;
  await waitFor(
    () => {
      for (; ended < turns.length; ended += 1) turns[ended]?.end();
      return turns.length >= count;
    },
    { what: `${count} turns`, intervalMs: 1 },
  );
  return turns.map(({ name }) => name);
}

describe('turns to read', () => {
  it('go round by tenant, and within a tenant by key', async () => {
    const gate = gateWith();
    for (const key of ['a', 'a', 'a', 'a', 'b']) ask(gate, 'busy', key);
    ask(gate, 'calm');
    await nextTurn();
    expect(turns.map(({ name }) => name)).toEqual(['busya', 'busya', 'calma']);
    expect(await served(6)).toEqual(['busya', 'busya', 'calma', 'busya', 'busyb', 'busya']);
  });

  it('are withdrawn from a replay that is cancelled', async () => {
    const gate = gateWith();
    ask(gate, 'tenant', 'a');
    ask(gate, 'tenant', 'b');
    ask(gate, 'tenant', 'c').cancel();
    ask(gate, 'tenant', 'd');
    expect(await served(3)).toEqual(['tenanta', 'tenantb', 'tenantd']);
    await waitFor(() => gate.count === 0, { what: 'all replays have ended' });
  });

  it('wait while the tenant has read more than its rate, on whichever edge, until it may read more', async () => {
    await tenants.change('greedy', { replayBytes: MIB });
    const [gate, otherGate] = [gateWith(), gateWith()];
    ask(gate, 'greedy', 'a', 2 * MIB);
    expect(await served(1)).toEqual(['greedya']);
    ask(otherGate, 'greedy', 'b', 1_000);
    expect(await served(2)).toEqual(['greedya', 'greedyb']);
    await waitFor(() => gate.count + otherGate.count === 0, { what: 'both reads have been charged' });
    // This edge has taken some of the rate in advance.
    ask(gate, 'greedy', 'c', MIB);
    expect((await served(3)).at(2)).toBe('greedyc');
    await waitFor(() => gate.count === 0, { what: 'that is used up' });
    ask(gate, 'greedy', 'd');
    ask(otherGate, 'greedy', 'e');
    ask(gate, 'calm');
    expect((await served(4)).at(3)).toBe('calma');
    await tenants.change('greedy', { replayBytes: 1024 * MIB });
    expect((await served(6)).slice(4).sort()).toEqual(['greedyd', 'greedye']);
    expect(gate.bytesRead).toBe(3 * MIB);
  });

  it('wait while half of the tenant’s buffers is full, until clients have read', async () => {
    const gate = gateWith();
    const [held, ofTenant] = [new HeldBytes(4 * REPLAY_PAGE_BYTES), buffers.of('slow')];
    held.hold(ofTenant);
    ask(gate, 'slow');
    ask(gate, 'calm');
    await nextTurn();
    expect(turns.map(({ name }) => name)).toEqual(['calma']);
    expect(buffers.neededFor('slow')).toBeGreaterThan(0);
    expect(buffers.neededFor('calm')).toBe(0);
    held.release(ofTenant);
    await waitFor(() => turns.length === 2, { what: 'there is room again' });
  });

  it('are refused beyond the number of replays of a tenant, and of the edge', async () => {
    const gate = gateWith({ maxReplays: 1 });
    await tenants.change('crowded', { replays: 2 });
    const owner = { tenantId: 'crowded', keyId: 'a' };
    const leave = await gate.admit(owner);
    await gate.admit(owner);
    await expect(gateWith().admit(owner)).rejects.toMatchObject({
      code: 'TOO_MANY_REPLAYS',
      details: { resource: 'replays', limit: 2, used: 2, retryAfterMs: expect.any(Number) },
    });
    expect(exceeded).toBe(1);
    leave();
    await gateWith().admit(owner);
    ask(gate, 'calm');
    await expect(gate.admit({ tenantId: 'calm', keyId: 'a' })).rejects.toMatchObject({
      code: 'TOO_MANY_REPLAYS',
      details: { limit: 1, retryAfterMs: 5_000 },
    });
  });
});
