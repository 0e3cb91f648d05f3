import { WafleetError } from '@wafleet/contract';
import type { TenantLeases } from '@wafleet/store';
import type { BufferBudget } from '../fanout/buffer-budget.js';
import type { Limit } from '../limits/client-limits.js';
import { TokenBucket } from '../limits/token-bucket.js';
import type { ReplayRates } from './replay-rates.js';

/** How much of the logs an edge reads for clients that missed events. */
export interface ReplayLimits {
  /** Replays under way, including those that wait for their turn. */
  readonly maxReplays: number;
  /** What Redis looks through for replays, in bytes per second; twice as much at once. */
  readonly bytesPerSecond: number;
}

interface ReplayGateResources {
  readonly buffers: BufferBudget;
  /** Counts the replays of a tenant on all edges. */
  readonly leases: Pick<TenantLeases, 'take'>;
  /** What is read for a tenant on all edges. */
  readonly rates: ReplayRates;
  /** Called if a tenant has as many replays as it may have. */
  readonly onExceeded: (limit: Extract<Limit, 'replays' | 'replays_per_edge'>) => void;
}

/** The owner of a replay. */
export interface ReplayOwner {
  readonly tenantId: string;
  readonly keyId: string;
}

/** Target size of one read of a replay. What was read stays in memory until the client has read it. */
export const REPLAY_PAGE_BYTES = 256 * 1024;
/** Reads at a time. Each takes up to a millisecond of Redis, and all others wait for that. */
const MAX_READS = 4;
const MAX_READS_PER_TENANT = 2;
/** The share of the buffers that replays fill; the rest is for events as they happen. */
const SHARE_OF_BUFFERS = 0.5;
const RETRY_AFTER_MS = 5_000;

interface Waiter {
  readonly since: number;
  readonly proceed: (isTurn: boolean) => void;
}

/** The waiting reads of one tenant, by API key. Those that have waited longest for a turn come first. */
interface Lane {
  readonly byKey: Map<string, Set<Waiter>>;
}

/** The replay of one client. Its reads come one after the other. */
export class Replay {
  readonly #gate: ReplayGate;
  readonly #owner: ReplayOwner;
  #waiter: Waiter | undefined;
  #isCancelled = false;
  #isInterrupted = false;
  /** Whether the read that waits may be interrupted. */
  #isReadingOn = false;

  constructor(gate: ReplayGate, owner: ReplayOwner) {
    this.#gate = gate;
    this.#owner = owner;
  }

  /** Cancels the replay: a read that waits for its turn resolves to undefined, and so do later ones. */
  cancel(): void {
    this.#isCancelled = true;
    this.#withdraw();
  }

  /** As `cancel`, for `readOn` alone. */
  interrupt(): void {
    this.#isInterrupted = true;
    if (this.#isReadingOn) this.#withdraw();
  }

  /** As `read`, for a read that can be interrupted. */
  async readOn<T>(read: () => Promise<T>, costOf: (result: T) => number): Promise<T | undefined> {
    if (this.#isInterrupted) return undefined;
    this.#isReadingOn = true;
    try {
      return await this.read(read, costOf);
    } finally {
      this.#isReadingOn = false;
    }
  }

  /**
   * Waits for a turn and reads. Rejects as `read` does.
   * @param costOf the cost of the result, in bytes.
   * @returns undefined if the replay was cancelled before its turn.
   */
  async read<T>(read: () => Promise<T>, costOf: (result: T) => number): Promise<T | undefined> {
    if (this.#isCancelled) return undefined;
    const isTurn = await new Promise<boolean>((proceed) => {
      this.#waiter = { since: performance.now(), proceed };
      this.#gate.wait(this.#owner, this.#waiter);
    });
    this.#waiter = undefined;
    if (!isTurn) return undefined;
    let cost = 0;
    try {
      const result = await read();
      cost = costOf(result);
      return result;
    } finally {
      this.#gate.done(this.#owner, cost);
    }
  }

  /** Call it once, when nothing more is read. */
  end(): void {
    this.#gate.end();
  }

  #withdraw(): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    this.#gate.withdraw(this.#owner, waiter);
    waiter.proceed(false);
  }
}

/**
 * Gives replays their turns to read, so that Redis, the edge's memory and its event loop have room for other work.
 * Tenants take turns, and so do the API keys of a tenant. A turn comes when few enough reads are under way, when the
 * tenant and the edge have not read too much lately, and when not too much waits in the buffers for clients that read
 * slowly.
 */
export class ReplayGate {
  readonly #limits: ReplayLimits;
  readonly #resources: ReplayGateResources;
  readonly #buffers: BufferBudget;
  readonly #lanes = new Map<string, Lane>();
  readonly #reads = new Map<string, number>();
  readonly #rate: TokenBucket;
  #replayCount = 0;
  #readCount = 0;
  #isScheduled = false;
  #timer: NodeJS.Timeout | undefined;
  /** Bytes that replays have read since the start. */
  bytesRead = 0;

  constructor(limits: ReplayLimits, resources: ReplayGateResources) {
    const { buffers, rates } = resources;
    this.#limits = limits;
    this.#resources = resources;
    this.#buffers = buffers;
    const { bytesPerSecond } = limits;
    this.#rate = new TokenBucket({ perSecond: bytesPerSecond, burst: 2 * bytesPerSecond });
    rates.onChange(() => this.#schedule());
    buffers.onFreed(() => this.#schedule());
    buffers.neededFor = (tenantId) => this.#waitedForRoom(tenantId);
  }

  /** Replays under way. */
  get count(): number {
    return this.#replayCount;
  }

  /**
   * Counts a client that is given what it missed until the returned function is called. Rejects if Redis does not
   * answer.
   * @throws {WafleetError} TOO_MANY_REPLAYS
   */
  async admit({ tenantId }: ReplayOwner): Promise<() => void> {
    const { maxReplays } = this.#limits;
    const { leases, onExceeded } = this.#resources;
    if (this.#replayCount >= maxReplays) {
      onExceeded('replays_per_edge');
      throw tooMany(maxReplays);
    }
    try {
      return await leases.take(tenantId, 'replays');
    } catch (error) {
      if (error instanceof WafleetError && error.code === 'TOO_MANY_REPLAYS') onExceeded('replays');
      throw error;
    }
  }

  begin(owner: ReplayOwner): Replay {
    this.#replayCount += 1;
    return new Replay(this, owner);
  }

  end(): void {
    this.#replayCount -= 1;
  }

  wait({ tenantId, keyId }: ReplayOwner, waiter: Waiter): void {
    const lane = this.#lanes.get(tenantId) ?? { byKey: new Map() };
    this.#lanes.set(tenantId, lane);
    const waiters = lane.byKey.get(keyId) ?? new Set();
    lane.byKey.set(keyId, waiters);
    waiters.add(waiter);
    this.#pump();
  }

  withdraw({ tenantId, keyId }: ReplayOwner, waiter: Waiter): void {
    const lane = this.#lanes.get(tenantId);
    const waiters = lane?.byKey.get(keyId);
    if (lane === undefined || waiters === undefined) return;
    waiters.delete(waiter);
    if (waiters.size === 0) lane.byKey.delete(keyId);
    if (lane.byKey.size === 0) this.#lanes.delete(tenantId);
  }

  done({ tenantId }: ReplayOwner, bytes: number): void {
    this.#readCount -= 1;
    count(this.#reads, tenantId, -1);
    this.bytesRead += bytes;
    this.#rate.fine(bytes);
    this.#resources.rates.charge(tenantId, bytes);
    this.#schedule();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** Schedules for later in this turn of the event loop: what was read just now is in the buffers then. */
  #schedule(): void {
    if (this.#isScheduled || this.#lanes.size === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    let isOneGranted = true;
    while (isOneGranted && this.#readCount < MAX_READS) {
      isOneGranted = false;
      for (const [tenantId, lane] of [...this.#lanes]) {
        if (!this.#mayRead(tenantId)) continue;
        isOneGranted = true;
        this.#grant(tenantId, lane);
        if (this.#readCount >= MAX_READS) break;
      }
    }
    this.#wakeForRate();
  }

  #mayRead(tenantId: string): boolean {
    return (
      this.#readCount < MAX_READS &&
      (this.#reads.get(tenantId) ?? 0) < MAX_READS_PER_TENANT &&
      this.#hasRoom(tenantId) &&
      this.#rateWait(tenantId) === 0
    );
  }

  #hasRoom(tenantId: string): boolean {
    const { maxBytes } = this.#buffers.limits;
    const ofTenant = this.#buffers.bytesOf(tenantId) + reserved((this.#reads.get(tenantId) ?? 0) + 1);
    const ofAll = this.#buffers.bytes + reserved(this.#readCount + 1);
    return (
      ofTenant <= this.#buffers.maxBytesOf(tenantId) * SHARE_OF_BUFFERS &&
      ofAll <= maxBytes * SHARE_OF_BUFFERS
    );
  }

  #rateWait(tenantId: string): number {
    return Math.max(this.#rate.wait(1), this.#resources.rates.wait(tenantId));
  }

  #grant(tenantId: string, lane: Lane): void {
    const [next] = lane.byKey;
    if (next === undefined) return;
    const [keyId, waiters] = next;
    const [waiter] = waiters;
    if (waiter === undefined) return;
    this.#readCount += 1;
    count(this.#reads, tenantId, 1);
    this.withdraw({ tenantId, keyId }, waiter);
    // Moves to the end of both lines.
    if (lane.byKey.delete(keyId)) lane.byKey.set(keyId, waiters);
    if (this.#lanes.delete(tenantId)) this.#lanes.set(tenantId, lane);
    waiter.proceed(true);
  }

  /** Wakes reads that wait for the rates alone; nothing else wakes them. */
  #wakeForRate(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lanes.size === 0) return;
    const waits = [...this.#lanes.keys()].map((tenantId) => this.#rateWait(tenantId)).filter((ms) => ms > 0);
    if (waits.length === 0) return;
    this.#timer = setTimeout(() => this.#pump(), Math.min(...waits));
    this.#timer.unref();
  }

  /** How long a replay of the tenant has waited for room in the buffers, in ms. */
  #waitedForRoom(tenantId: string): number {
    const { maxBytes } = this.#buffers.limits;
    const isFull = this.#buffers.bytes + reserved(this.#readCount + 1) > maxBytes * SHARE_OF_BUFFERS;
    const lane = this.#lanes.get(tenantId);
    const waits = isFull ? [...this.#lanes.values()] : lane && !this.#hasRoom(tenantId) ? [lane] : [];
    let since = Number.POSITIVE_INFINITY;
    for (const { byKey } of waits) {
      for (const [first] of byKey.values()) since = Math.min(since, first?.since ?? since);
    }
    return Math.max(0, performance.now() - since);
  }
}

function reserved(pages: number): number {
  return pages * REPLAY_PAGE_BYTES;
}

function count(counts: Map<string, number>, name: string, change: 1 | -1): void {
  const left = (counts.get(name) ?? 0) + change;
  if (left > 0) counts.set(name, left);
  else counts.delete(name);
}

function tooMany(limit: number): WafleetError {
  const message = `As many clients of this edge are being given what they missed as may be: ${limit}.`;
  return new WafleetError('TOO_MANY_REPLAYS', message, {
    resource: 'replays_per_edge' satisfies Limit,
    limit,
    retryAfterMs: RETRY_AFTER_MS,
  });
}
