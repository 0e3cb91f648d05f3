import { setTimeout as delay } from 'node:timers/promises';
import { type EventPosition, formatEventId } from '@wafleet/contract';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectRedis, type RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import type { Fence } from '../redis/session-ref.js';
import { logger, ownedSession } from '../testing/redis-fixture.js';
import { EventLog } from './event-log.js';

/**
 * Two properties hold through restarts, failovers that lose the end of the log, and failovers back. No position is
 * given to two events. A read that reports that nothing is missing has every event the log ever had after its position.
 */
const tenantId = 'tnt_a';
const NOTHING: EventPosition = { epoch: '0', seq: 0 };
const EVERYTHING = 10_000;

interface Server {
  readonly process: TestRedis;
  readonly redis: RedisConnection;
  /** Its writer, which lives as long as the test, as a worker's does. */
  readonly log: EventLog;
}

/** How long a writer relies on what it has read over a connection that stays open. A real failover takes longer. */
const LIFE_KNOWN_MS = 1_000;

let servers: Server[] = [];
beforeAll(async () => {
  servers = await Promise.all(
    [0, 1].map(async () => {
      const process = await startRedis();
      const redis = connectRedis({ url: process.url, role: 'command', name: 'test', logger });
      return { process, redis, log: new EventLog(redis) };
    }),
  );
});
afterAll(async () => {
  for (const { redis } of servers) redis.disconnect();
  await Promise.all(servers.map(({ process }) => process.stop()));
});

type PlainStep =
  /** Rivals append at the same time; `counts` has the number of events of each. */
  | { readonly act: 'append'; readonly counts: readonly number[] }
  | { readonly act: 'trim'; readonly kept: number }
  | { readonly act: 'read'; readonly from: number; readonly beyond: number }
  | { readonly act: 'restart' };
/** A replica takes over and lacks everything that happened in the meantime. */
type Failover = { readonly act: 'failOver'; readonly meanwhile: readonly PlainStep[] };
type Step = PlainStep | Failover;

const append = fc.record({
  act: fc.constant('append' as const),
  counts: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
});
const trim = fc.record({ act: fc.constant('trim' as const), kept: fc.nat({ max: 8 }) });
const read = fc.record({
  act: fc.constant('read' as const),
  from: fc.nat({ max: 1_000 }),
  beyond: fc.constantFrom(0, 0, 1, 5),
});
const restart = fc.record({ act: fc.constant('restart' as const) });
const failOver = fc.record({
  act: fc.constant('failOver' as const),
  meanwhile: fc.array(fc.oneof({ weight: 3, arbitrary: append }, trim, read), { maxLength: 3 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: append },
  { weight: 2, arbitrary: trim },
  { weight: 6, arbitrary: read },
  { weight: 2, arbitrary: restart },
  { weight: 1, arbitrary: failOver },
);

/** A failover and a failover back that lose the same end of the log, while the server in between gets no appends. */
const THERE_AND_BACK: Step[] = [
  { act: 'append', counts: [3] },
  { act: 'restart' },
  { act: 'append', counts: [2] },
  { act: 'failOver', meanwhile: [{ act: 'append', counts: [2] }] },
  { act: 'failOver', meanwhile: [] },
  { act: 'append', counts: [2] },
  { act: 'trim', kept: 3 },
];

/** A read past the end of the log, after a server in its first life has got its first replica. */
const PAST_THE_END: Step[] = [
  { act: 'restart' },
  { act: 'append', counts: [1] },
  { act: 'failOver', meanwhile: [{ act: 'read', from: 0, beyond: 5 }] },
];

/** Counts the cases that the test must have met to be meaningful. */
const met = { restarts: 0, failovers: 0, lost: 0, continuous: 0, broken: 0 };

class Schedule {
  #primary = 0;
  #fences: Fence[] = [];
  #events = 0;
  /** Every position that was ever given out, with its event. */
  readonly #given = new Map<string, { position: EventPosition; body: string }>();
  /** The events that the log has now, and those that were trimmed from its beginning. */
  #history: EventPosition[] = [];
  /** Whether the next event begins another epoch. A server changes its id for its first replica: 'perhaps' then. */
  #isOver: boolean | 'perhaps' = false;

  get #redis(): RedisConnection {
    return this.#at(this.#primary).redis;
  }

  #at(index: number): Server {
    const server = servers[index];
    if (server === undefined) throw new Error('servers run inside tests only');
    return server;
  }

  async run(steps: readonly Step[]): Promise<void> {
    await this.#redis.replicaof('NO', 'ONE');
    await this.#redis.flushall();
    this.#fences = await Promise.all(
      ['s0', 's1', 's2'].map((sessionId) => ownedSession(this.#redis, { tenantId, sessionId }, 'wrk_a')),
    );
    for (const next of steps) await this.#take(next);
    for (const { position } of this.#given.values()) await this.#read(position);
  }

  async #take(next: Step): Promise<void> {
    switch (next.act) {
      case 'append':
        return this.#append(next.counts);
      case 'trim':
        await this.#redis.xtrim(keys.log(tenantId), 'MAXLEN', '=', next.kept);
        return;
      case 'read': {
        const given = [...this.#given.values()][next.from % (this.#given.size + 1)];
        if (given === undefined) return this.#read(NOTHING);
        return this.#read({ ...given.position, seq: given.position.seq + next.beyond });
      }
      case 'restart':
        return this.#restart();
      case 'failOver':
        return this.#failOver(next.meanwhile);
    }
  }

  async #append(counts: readonly number[]): Promise<void> {
    const { log } = this.#at(this.#primary);
    const appended = await Promise.all(
      counts.map(async (count, rival) => {
        const fence = this.#fences[rival];
        if (fence === undefined) return [];
        const bodies = Array.from({ length: count }, () => `{"n":${this.#events++}}`);
        const positions = await log.append(
          fence,
          bodies.map((body) => ({ event: 'call', body })),
        );
        return positions.map((position, index) => ({ position, body: bodies[index] ?? '' }));
      }),
    );
    for (const { position, body } of appended.flat().sort((a, b) => a.position.seq - b.position.seq)) {
      const id = formatEventId(position);
      expect(this.#given.get(id), `what had position ${id} before`).toBeUndefined();
      this.#given.set(id, { position, body });
      this.#history.push(position);
      this.#isOver = false;
    }
  }

  async #restart(): Promise<void> {
    const { process } = this.#at(this.#primary);
    await process.kill();
    await process.restart();
    met.restarts += 1;
    await this.#noteLosses();
  }

  async #failOver(meanwhile: readonly PlainStep[]): Promise<void> {
    const { redis: replica } = this.#at(1 - this.#primary);
    await this.#redis.config('SET', 'repl-diskless-sync-delay', 0);
    await replica.replicaof('127.0.0.1', this.#at(this.#primary).process.port);
    // Until its append-only file is rewritten, a restart would restore the replica's earlier data.
    const isWritten = async () =>
      /aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/.test(await replica.info('persistence'));
    const hasCopied = async () => (await this.#redis.wait(1, 100)) === 1 && (await isWritten());
    await waitFor(hasCopied, { what: 'a replica with everything', timeoutMs: 30_000 });
    if (!this.#isOver) this.#isOver = 'perhaps';
    await replica.replicaof('NO', 'ONE');
    for (const next of meanwhile) await this.#take(next);
    await delay(LIFE_KNOWN_MS);
    this.#primary = 1 - this.#primary;
    met.failovers += 1;
    await this.#noteLosses();
  }

  async #noteLosses(): Promise<void> {
    const head = await waitFor(() => new EventLog(this.#redis).position(tenantId), { what: 'the server' });
    const kept = this.#history.findIndex(({ epoch, seq }) => epoch === head.epoch && seq === head.seq) + 1;
    met.lost += this.#history.length - kept;
    this.#history = this.#history.slice(0, kept);
    this.#isOver = true;
  }

  async #read(after: EventPosition): Promise<void> {
    const page = await new EventLog(this.#redis).read(tenantId, { after, count: EVERYTHING });
    for (const { position, body } of page.events) {
      expect(body.toString()).toContain(this.#given.get(formatEventId(position))?.body.slice(1));
    }
    const missing = this.#after(after);
    if (missing === 'either') return;
    const isComplete = missing !== undefined && missing.length === page.events.length;
    expect(page.isContinuous, `a read after ${formatEventId(after)}`).toBe(isComplete);
    if (isComplete) expect(page.events.map(({ position }) => position)).toEqual(missing);
    met[isComplete ? 'continuous' : 'broken'] += 1;
  }

  /**
   * Returns every event the log ever had after a position. Undefined for a position that it never gave. `either` for a
   * position past the end of an epoch if it is unknown whether that epoch continues: no reader has such a position.
   */
  #after(after: EventPosition): EventPosition[] | 'either' | undefined {
    if (formatEventId(after) === formatEventId(NOTHING)) return this.#history;
    const last = this.#history.findLast(({ epoch, seq }) => epoch === after.epoch && seq <= after.seq);
    if (last === undefined) return undefined;
    const next = this.#history.slice(this.#history.indexOf(last) + 1);
    if (last.seq === after.seq || next.length > 0 || this.#isOver === true) return next;
    // The position is past the end of an epoch that continues or may continue.
    return this.#isOver === 'perhaps' ? 'either' : undefined;
  }
}

test('no position is given out twice, and a reader learns of everything that it misses', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 25 }), (steps) => new Schedule().run(steps)),
    { numRuns: 8, examples: [[THERE_AND_BACK], [PAST_THE_END]] },
  );
  for (const [what, times] of Object.entries(met)) expect(times, what).toBeGreaterThan(0);
});
