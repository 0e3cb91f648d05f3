import type { Logger } from '@wafleet/runtime';
import type { Backlog } from './backlog.js';

/** How many bytes of events may wait in the memory of one edge for clients that have not read them. */
export interface BufferLimits {
  readonly maxBytes: number;
  /** How long a client may read nothing while something waits for it, in ms. Default: 60 s. */
  readonly stallMs?: number;
  /** The same while a replay waits for room. Default: 10 s. */
  readonly stallInNeedMs?: number;
}

/** A client that has not read all that was written to it. */
export interface BufferHolder {
  readonly backlog: Backlog;
  /** Grows when the client reads. */
  readonly taken: number;
  /** Closes the client as SLOW_CLIENT. Releases at once what waits for it. */
  overflow(): void;
}

interface BufferBudgetOptions {
  readonly limits: BufferLimits;
  /**
   * Current limit of the bytes that may wait for the clients of a tenant. Called about once a second for each tenant.
   */
  readonly tenantBytes: (tenantId: string) => number;
  readonly logger: Logger;
}

/** A connection that is being closed as slow. */
export interface Lingering {
  /** Whether the connection must be cut off at once, since many others are being closed too. */
  readonly isCut: boolean;
  /** Call it when the connection has ended. */
  readonly ended: () => void;
}

/** The share of the limit that connections being closed may use on top of it. */
const LINGERING_SHARE = 0.25;
/** After a replay has waited this many times `stallInNeedMs` for its turn, slow clients are closed to make room. */
const NEED_FACTOR = 3;
const CHECK_EVERY_MS = 1_000;

/** The bytes that wait for the clients of one tenant. */
export class TenantBuffers {
  readonly tenantId: string;
  readonly #budget: BufferBudget;
  readonly #holders = new Set<BufferHolder>();
  /** How many bytes may wait. */
  maxBytes: number;
  /** Clients that may hold bytes. */
  users = 0;
  bytes = 0;

  constructor(tenantId: string, budget: BufferBudget, maxBytes: number) {
    this.tenantId = tenantId;
    this.#budget = budget;
    this.maxBytes = maxBytes;
  }

  /** The clients for whom something waits. */
  get holders(): ReadonlySet<BufferHolder> {
    return this.#holders;
  }

  join(holder: BufferHolder): void {
    this.#holders.add(holder);
  }

  leave(holder: BufferHolder): void {
    this.#holders.delete(holder);
  }

  add(bytes: number): void {
    this.bytes += bytes;
    this.#budget.add(bytes);
  }

  /** Closes the slowest clients if too much waits. Call it after more began to wait. */
  check(): void {
    this.#budget.check(this);
  }

  /**
   * Registers a client that is being closed while this many bytes still wait in its connection.
   * @returns whether it may take its time, and the function to call when the connection has ended.
   */
  linger(bytes: number): Lingering {
    return this.#budget.linger(bytes);
  }

  /** Releases a client that will not hold anything any more. */
  release(): void {
    this.#budget.release(this);
  }
}

/**
 * Bounds the bytes of events that wait in this process for clients of all transports together: in our queues, in those
 * of Engine.IO, and in Node's. If a tenant has more than its share, its clients with the largest backlogs are closed as
 * SLOW_CLIENT until it fits. If all tenants have more than the process may hold, the same happens to the tenant that
 * holds most. A client that reads nothing for a while is closed in any case, earlier if a replay waits for room.
 *
 * An event that waits for several clients counts once. Bytes that the operating system has taken do not count.
 */
export class BufferBudget {
  readonly limits: BufferLimits;
  readonly #tenantBytes: (tenantId: string) => number;
  readonly #logger: Logger;
  readonly #stallMs: number;
  readonly #stallInNeedMs: number;
  readonly #tenants = new Map<string, TenantBuffers>();
  readonly #lookedAt = new WeakMap<BufferHolder, { bytes: number; taken: number; since: number }>();
  readonly #checking: NodeJS.Timeout;
  #bytes = 0;
  #lingeringBytes = 0;
  #onFreed: (() => void) | undefined;
  /** How long a replay has waited for the room that a tenant takes, in ms; 0 if none waits. */
  neededFor: (tenantId: string) => number = () => 0;

  constructor({ limits, tenantBytes, logger }: BufferBudgetOptions) {
    const { stallMs = 60_000, stallInNeedMs = 10_000 } = limits;
    this.limits = limits;
    this.#tenantBytes = tenantBytes;
    this.#logger = logger;
    this.#stallMs = stallMs;
    this.#stallInNeedMs = stallInNeedMs;
    this.#checking = setInterval(() => this.#closeStalled(), Math.min(CHECK_EVERY_MS, stallInNeedMs / 4));
    this.#checking.unref();
  }

  /** Bytes that wait for clients now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The buffers of a tenant, for one client until its `release`. */
  of(tenantId: string): TenantBuffers {
    let buffers = this.#tenants.get(tenantId);
    if (buffers === undefined) {
      buffers = new TenantBuffers(tenantId, this, this.#tenantBytes(tenantId));
      this.#tenants.set(tenantId, buffers);
    }
    buffers.users += 1;
    return buffers;
  }

  /** Bytes that wait for the clients of a tenant now. */
  bytesOf(tenantId: string): number {
    return this.#tenants.get(tenantId)?.bytes ?? 0;
  }

  /** Bytes that may wait for the clients of a tenant. */
  maxBytesOf(tenantId: string): number {
    return this.#tenants.get(tenantId)?.maxBytes ?? this.#tenantBytes(tenantId);
  }

  /** Registers a callback for when less waits than before. */
  onFreed(action: () => void): void {
    this.#onFreed = action;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (bytes < 0) this.#onFreed?.();
  }

  check(buffers: TenantBuffers): void {
    const { maxBytes } = this.limits;
    if (buffers.bytes > buffers.maxBytes) this.#relieve(buffers, buffers.maxBytes);
    while (this.#bytes > maxBytes) {
      const largest = this.#largest();
      if (largest === undefined) return;
      this.#relieve(largest, largest.bytes - (this.#bytes - maxBytes));
    }
  }

  linger(bytes: number): Lingering {
    if (this.#lingeringBytes + bytes > this.limits.maxBytes * LINGERING_SHARE) {
      return { isCut: true, ended: () => {} };
    }
    this.#lingeringBytes += bytes;
    let isOver = false;
    return {
      isCut: false,
      ended: () => {
        if (!isOver) this.#lingeringBytes -= bytes;
        isOver = true;
      },
    };
  }

  release(buffers: TenantBuffers): void {
    buffers.users -= 1;
    if (buffers.users === 0) this.#tenants.delete(buffers.tenantId);
  }

  close(): void {
    clearInterval(this.#checking);
  }

  #largest(): TenantBuffers | undefined {
    let largest: TenantBuffers | undefined;
    for (const each of this.#tenants.values()) {
      if (each.holders.size === 0) continue;
      if (largest === undefined || each.bytes > largest.bytes) largest = each;
    }
    return largest;
  }

  /** Closes clients, largest backlog first, until at most `allowed` bytes remain. */
  #relieve(buffers: TenantBuffers, allowed: number): void {
    if (buffers.bytes <= allowed) return;
    const holders = [...buffers.holders]
      .map((holder) => ({ holder, bytes: holder.backlog.bytes }))
      .sort((a, b) => b.bytes - a.bytes);
    let closed = 0;
    for (const { holder } of holders) {
      if (buffers.bytes <= allowed) break;
      closed += 1;
      holder.overflow();
    }
    const { tenantId, bytes } = buffers;
    this.#logger.warn(
      { tenantId, bytes, allowed, closed },
      'closed the slowest clients: too much waits for them',
    );
  }

  #closeStalled(): void {
    const now = performance.now();
    for (const buffers of [...this.#tenants.values()]) {
      if (buffers.holders.size === 0) continue;
      buffers.maxBytes = this.#tenantBytes(buffers.tenantId);
      this.check(buffers);
      const neededFor = this.neededFor(buffers.tenantId);
      const stallMs = neededFor > 0 ? this.#stallInNeedMs : this.#stallMs;
      // Clients that read, but so slowly that no other client gets a turn.
      const isInTheWay = buffers.bytes > buffers.maxBytes / 4 || buffers === this.#largest();
      if (isInTheWay && neededFor >= NEED_FACTOR * this.#stallInNeedMs) {
        this.#relieve(buffers, buffers.bytes / 2);
      }
      for (const holder of [...buffers.holders]) {
        const { bytes } = holder.backlog;
        const { taken } = holder;
        const last = this.#lookedAt.get(holder);
        if (last === undefined || taken !== last.taken || bytes < last.bytes) {
          this.#lookedAt.set(holder, { bytes, taken, since: now });
        } else if (now - last.since >= stallMs) {
          holder.overflow();
        } else {
          last.bytes = bytes;
        }
      }
    }
  }
}
