import { randomUUID } from 'node:crypto';
import { waitFor } from '@wafleet/testkit';
import { initAuthCreds } from '@whiskeysockets/baileys';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { AuthStateStore } from '../auth/auth-state.js';
import { Cipher } from '../auth/cipher.js';
import { EventLog } from '../events/event-log.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { type Fence, FencedError } from '../redis/session-ref.js';
import { useRedis } from '../testing/redis-fixture.js';
import { WorkerRegistry } from '../workers/worker-registry.js';
import { Ownership } from './ownership.js';
import { SessionDirectory } from './session-directory.js';

/**
 * For any actions of workers in any order, the writes of a session form a sequence of epochs that do not overlap, each
 * by the worker that claimed it. The history comes from Redis: MONITOR reports every write that a script has executed.
 */
const fixture = useRedis();
const ref = { tenantId: 'tnt_a', sessionId: 'shop' };
const cipher = Cipher.fromHexKeys('07'.repeat(32));
const RIVALS = [0, 1, 2];

type Write = (redis: RedisConnection, fence: Fence) => Promise<unknown>;

/** Every kind of write leaves this in Redis, so that the history shows the claim under which it was made. */
function mark({ epoch, worker }: Fence): string {
  return `${epoch}/${worker}`;
}

const writes: Readonly<Record<'auth' | 'status' | 'event', Write>> = {
  auth: async (redis, fence) => {
    const state = await new AuthStateStore({ redis, cipher, fence }).load(initAuthCreds);
    await state.keys.set({ session: { [mark(fence)]: Buffer.from('record') } });
  },
  status: (redis, fence) =>
    new SessionDirectory(redis).setStatus(fence, { status: 'open', reason: mark(fence) }),
  event: (redis, fence) =>
    new EventLog(redis, { maxLength: 1_000 }).append(fence, [
      { event: 'call', body: JSON.stringify({ mark: mark(fence) }) },
    ]),
};

type Step =
  | { readonly act: 'claim'; readonly mistaken: number | null }
  | { readonly act: 'expire'; readonly rival: number }
  | { readonly act: 'renew' | 'release' }
  | { readonly act: 'pause'; readonly turns: number }
  | { readonly act: 'write'; readonly kind: keyof typeof writes; readonly isLate: boolean };

const rivalNumber = fc.constantFrom(...RIVALS);
const step: fc.Arbitrary<Step> = fc.oneof(
  // Normally a claim names the owner whose lease is gone. A mistaken claim treats some rival as dead.
  {
    weight: 3,
    arbitrary: fc.record({ act: fc.constant('claim' as const), mistaken: fc.option(rivalNumber) }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('expire' as const), rival: rivalNumber }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('renew' as const, 'release' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constant('pause' as const), turns: fc.integer({ min: 1, max: 12 }) }),
  },
  // A late write has the fence of an earlier claim, like work that was under way when the worker lost the session.
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('write' as const),
      kind: fc.constantFrom('auth' as const, 'status' as const, 'event' as const),
      isLate: fc.boolean(),
    }),
  },
);

/** Lets one rival pause while the others continue. No pause is endless. */
class Turns {
  #count = 0;
  #moving = RIVALS.length;

  next(): void {
    this.#count += 1;
  }

  finished(): void {
    this.#moving -= 1;
  }

  async pause(turns: number): Promise<void> {
    const goal = this.#count + turns;
    this.#moving -= 1;
    while (this.#count < goal && this.#moving > 0) await new Promise((resolve) => setImmediate(resolve));
    this.#moving += 1;
  }
}

/** A worker that acts on its own belief until Redis contradicts it. */
class Rival {
  incarnation = '';
  refused = 0;
  readonly #redis: RedisConnection;
  readonly #registry: WorkerRegistry;
  readonly #ownership: Ownership;
  #fences: Fence[] = [];

  constructor(redis: RedisConnection) {
    this.#redis = redis;
    this.#registry = new WorkerRegistry(redis);
    this.#ownership = new Ownership(redis);
  }

  async run(steps: readonly Step[], rivals: readonly Rival[], turns: Turns): Promise<void> {
    this.#fences = [];
    await this.#beginAnew();
    for (const next of steps) {
      turns.next();
      if (next.act === 'pause') await turns.pause(next.turns);
      else await this.#take(next, rivals);
    }
    turns.finished();
  }

  async #take(next: Exclude<Step, { act: 'pause' }>, rivals: readonly Rival[]): Promise<void> {
    const latest = this.#fences.at(-1);
    switch (next.act) {
      case 'claim':
        return this.#claim(next.mistaken === null ? undefined : rivals[next.mistaken]?.incarnation);
      case 'expire':
        await this.#redis.del(keys.lease(rivals[next.rival]?.incarnation ?? ''));
        return;
      case 'renew':
        if ((await this.#registry.renewLease(this.incarnation)) === 'lost') await this.#beginAnew();
        return;
      case 'release':
        if (latest !== undefined) await this.#ownership.release(latest);
        return;
      case 'write': {
        const fence = next.isLate ? (this.#fences.at(-2) ?? latest) : latest;
        if (fence !== undefined) await this.#write(writes[next.kind], fence);
      }
    }
  }

  async #beginAnew(): Promise<void> {
    this.incarnation = `wrk_${randomUUID()}`;
    await this.#registry.acquireLease(this.incarnation);
  }

  async #claim(mistaken: string | undefined): Promise<void> {
    const expectPrevious = mistaken ?? (await this.#deadOwner());
    const claim = await this.#ownership.claim(ref, { worker: this.incarnation, expectPrevious });
    if ('fence' in claim) this.#fences.push(claim.fence);
  }

  async #deadOwner(): Promise<string | undefined> {
    const owner = (await this.#ownership.read(ref))?.worker;
    if (owner === undefined) return undefined;
    return (await this.#registry.aliveIds([owner])).has(owner) ? undefined : owner;
  }

  async #write(write: Write, fence: Fence): Promise<void> {
    try {
      await write(this.#redis, fence);
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
      this.refused += 1;
    }
  }
}

/** The commands that scripts have executed, in order; arguments in lower case except for their contents. */
class History {
  #commands: string[][] = [];
  #echoes = new Set<string>();

  static async of(redis: RedisConnection): Promise<History> {
    const monitor = await redis.monitor();
    onTestFinished(() => monitor.disconnect());
    const history = new History();
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (source === 'lua') history.#commands.push(args);
      else if (args[0]?.toLowerCase() === 'echo') history.#echoes.add(args[1] ?? '');
    });
    return history;
  }

  /** Returns the history up to now and clears it. */
  async take(redis: RedisConnection): Promise<string[][]> {
    const now = randomUUID();
    await redis.echo(now);
    await waitFor(() => this.#echoes.delete(now), { what: 'the whole history' });
    return this.#commands.splice(0);
  }
}

/** Checks each write against the claim before it, and counts them by kind. */
function checkWrites(history: readonly string[][], counts: Map<string, number>): void {
  let epoch = 0;
  let owner = '';
  for (const [name = '', key = '', ...args] of history) {
    const command = `${name.toUpperCase()} ${key}`;
    const write = markIn(command, args);
    if (write !== undefined) {
      expect(write.mark).toBe(owner);
      counts.set(write.kind, (counts.get(write.kind) ?? 0) + 1);
    } else if (command === `HSET ${keys.owner(ref)}`) {
      const [epochField, claimed, workerField, claimer] = args;
      expect([epochField, workerField]).toEqual(['epoch', 'worker']);
      epoch += 1;
      expect(claimed).toBe(`${epoch}`);
      owner = `${claimed}/${claimer}`;
    } else if (command === `HDEL ${keys.owner(ref)}`) {
      owner = 'missing';
    }
  }
}

function markIn(command: string, args: readonly string[]): { kind: string; mark: string } | undefined {
  if (command === `HSET ${keys.auth(ref)}`)
    return { kind: 'auth', mark: args[0]?.slice('session:'.length) ?? '' };
  if (command === `HSET ${keys.session(ref)}` && args[0] === 'reason') {
    return { kind: 'status', mark: args[1] ?? '' };
  }
  if (command === `XADD ${keys.log(ref.tenantId)}`) {
    return { kind: 'event', mark: /"mark":"([^"]+)"/.exec(args.join(' '))?.[1] ?? '' };
  }
  return undefined;
}

test('writes of several workers form a sequence of epochs that do not overlap', async () => {
  const { redis } = fixture;
  const rivals = RIVALS.map(() => new Rival(fixture.connect('command')));
  const history = await History.of(fixture.connect('command'));
  const schedule = fc.array(step, { minLength: 5, maxLength: 25 });
  const counts = new Map<string, number>();

  await fc.assert(
    fc.asyncProperty(fc.tuple(schedule, schedule, schedule), async (schedules) => {
      await redis.flushall();
      await new SessionDirectory(redis).create(ref);
      await history.take(redis);
      const turns = new Turns();
      await Promise.all(rivals.map((rival, index) => rival.run(schedules[index] ?? [], rivals, turns)));
      checkWrites(await history.take(redis), counts);
    }),
    { numRuns: 100 },
  );
  for (const kind of Object.keys(writes)) expect(counts.get(kind), kind).toBeGreaterThan(0);
  expect(rivals.reduce((sum, { refused }) => sum + refused, 0)).toBeGreaterThan(0);
});
