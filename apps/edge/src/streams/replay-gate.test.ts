import { setImmediate as nextTurn } from 'node:timers/promises';
import { WafleetError } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import { waitFor } from '@wafleet/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BufferBudget } from '../fanout/buffer-budget.js';
import { HeldBytes } from '../fanout/held-bytes.js';
import { REPLAY_PAGE_BYTES, type Replay, ReplayGate, type ReplayLimits } from './replay-gate.js';

const logger = createLogger({ app: 'test', level: 'silent' });
const LIMITS: ReplayLimits = {
  maxReplays: 10,
  maxReplaysPerTenant: 4,
  bytesPerSecond: 1024 ** 3,
  bytesPerSecondPerTenant: 1024 ** 3,
};

let buffers: BufferBudget;
/** The turns that came, by tenant and key; a turn ends when its entry is called. */
let turns: { name: string; end: () => void }[];

beforeEach(() => {
  const limits = { maxBytes: 16 * REPLAY_PAGE_BYTES, maxBytesPerTenant: 8 * REPLAY_PAGE_BYTES };
  buffers = new BufferBudget({ limits, logger });
  turns = [];
});
afterEach(() => buffers.close());

function gateWith(limits: Partial<ReplayLimits> = {}): ReplayGate {
  return new ReplayGate({ ...LIMITS, ...limits }, buffers);
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

/** Ends all turns as they come, until so many have come. */
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

  it('wait while the tenant has read more than its rate, and others do not', async () => {
    const gate = gateWith({ bytesPerSecondPerTenant: 1_000 });
    ask(gate, 'busy', 'a', 2_500);
    expect(await served(1)).toEqual(['busya']);
    await waitFor(() => gate.count === 0, { what: 'the read has been charged' });
    ask(gate, 'busy', 'b');
    ask(gate, 'calm');
    await nextTurn();
    expect(turns.map(({ name }) => name)).toEqual(['busya', 'calma']);
    expect(await served(3)).toEqual(['busya', 'calma', 'busyb']);
    expect(gate.bytesRead).toBe(2_500);
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

  it('are refused beyond the number of replays of a tenant, and of the edge', () => {
    const gate = gateWith({ maxReplays: 5 });
    const refusal = (tenantId: string) => {
      try {
        gate.requireRoom({ tenantId, keyId: 'a' });
      } catch (error) {
        return error instanceof WafleetError ? error.describe() : error;
      }
      return undefined;
    };
    for (let count = 0; count < 4; count += 1) ask(gate, 'busy');
    expect(refusal('busy')).toMatchObject({
      code: 'TOO_MANY_REPLAYS',
      details: { limit: 4, retryAfterMs: 5_000 },
    });
    expect(refusal('calm')).toBeUndefined();
    ask(gate, 'calm');
    expect(refusal('calm')).toMatchObject({ code: 'TOO_MANY_REPLAYS', details: { limit: 5 } });
  });
});
