import { randomUUID } from 'node:crypto';
import { type ErrorCode, limitError, type TenantLimit } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from './connection.js';
import { keys } from './keyspace.js';
import { asList, asNumber } from './reply.js';
import { Script } from './script.js';
import type { TenantLimitTable } from './tenant-limits.js';

/** How long a lease counts after its holder renewed it last. */
const LEASE_COUNTS_MS = 15_000;
const CHUNK = 500;

interface LeaseKind {
  /** How many there may be. */
  readonly count: TenantLimit;
  /** What they may weigh together, in bytes. */
  readonly weight?: TenantLimit;
  readonly error: ErrorCode;
}

/** What leases are taken of. */
const LEASE_KINDS = {
  replays: { count: 'replays', error: 'RATE_LIMITED' },
  mediaDownloads: { count: 'mediaDownloads', error: 'TOO_MANY_DOWNLOADS' },
  resumeRecords: { count: 'resumeRecords', weight: 'resumeBytes', error: 'RATE_LIMITED' },
} as const satisfies Record<string, LeaseKind>;

export type LeasedResource = keyof typeof LEASE_KINDS;

/** How many leases of a resource a tenant has, and what they weigh. */
export interface LeaseCount {
  readonly count: number;
  readonly weight: number;
}

export interface TakenLease extends LeaseCount {
  /** `full`: there are too many. `heavy`: they weigh too much. */
  readonly outcome: 'taken' | 'full' | 'heavy';
  readonly countLimit: number;
  readonly weightLimit: number;
}

const OUTCOMES = ['taken', 'full', 'heavy'] as const;

const takeLease = new Script('take-lease', (reply): TakenLease => {
  const [outcome = -1, count = 0, weight = 0, countLimit = 0, weightLimit = 0] = asList(reply).map(asNumber);
  const named = OUTCOMES[outcome];
  if (named === undefined) throw new TypeError(`a lease has the outcome ${outcome}`);
  return { outcome: named, count, weight, countLimit, weightLimit };
});
const renewLeases = new Script('renew-leases', asNumber);
const endLease = new Script('end-lease', asNumber);
const countLeases = new Script('count-leases', (reply): LeaseCount => {
  const [count = 0, weight = 0] = asList(reply).map(asNumber);
  return { count, weight };
});

/**
 * How much of a resource each tenant uses at a time, for the whole cluster. Each use is a lease in Redis that its
 * holder renews; those of a process that was killed stop counting 15 s later. `take` rejects when Redis does not answer.
 */
export class TenantLeases {
  readonly #redis: RedisConnection;
  readonly #limits: TenantLimitTable;
  readonly #holder: string;
  readonly #logger: Logger;
  /** What this process holds: lease by resource by tenant. */
  readonly #held = new Map<string, { tenantId: string; resource: LeasedResource; leases: Set<string> }>();
  readonly #renewing: NodeJS.Timeout;

  constructor(options: {
    redis: RedisConnection;
    limits: TenantLimitTable;
    /** Names this process among all. */
    holder: string;
    logger: Logger;
  }) {
    this.#redis = options.redis;
    this.#limits = options.limits;
    this.#holder = options.holder;
    this.#logger = options.logger;
    this.#renewing = setInterval(() => void this.#renew(), LEASE_COUNTS_MS / 3);
    this.#renewing.unref();
  }

  /**
   * Takes a lease, which holds until the function that is returned is called, once or more often.
   * @throws {WafleetError} RATE_LIMITED or TOO_MANY_DOWNLOADS, with `details` {resource, limit, used, retryAfterMs}.
   */
  async take(
    tenantId: string,
    resource: LeasedResource,
    options: { weight?: number } = {},
  ): Promise<() => void> {
    const lease = `${this.#holder}/${randomUUID()}`;
    const taken = await this.put(tenantId, resource, { lease, lifeMs: LEASE_COUNTS_MS, ...options });
    if (taken.outcome !== 'taken') throw refusal(resource, taken);
    this.#hold(tenantId, resource, lease);
    return () => this.#release(tenantId, resource, lease);
  }

  /**
   * Takes a lease under a name of the caller's, or takes it again, with a life of its own: nothing renews it. For things
   * in Redis that expire, such as records.
   */
  put(
    tenantId: string,
    resource: LeasedResource,
    { lease, lifeMs, weight = 0 }: { lease: string; lifeMs: number; weight?: number },
  ): Promise<TakenLease> {
    const kind: LeaseKind = LEASE_KINDS[resource];
    const { defaults } = this.#limits;
    return takeLease.run(
      this.#redis,
      [keys.tenantLimits(tenantId), ...leaseKeys(tenantId, resource)],
      [
        ...[lease, lifeMs, weight],
        ...[kind.count, defaults[kind.count]],
        ...(kind.weight === undefined ? ['', 0] : [kind.weight, defaults[kind.weight]]),
      ],
    );
  }

  /** Ends a lease that was made by `put`. */
  async remove(tenantId: string, resource: LeasedResource, lease: string): Promise<void> {
    await endLease.run(this.#redis, leaseKeys(tenantId, resource), [lease]);
  }

  /** What a tenant uses, on all processes. */
  count(tenantId: string, resource: LeasedResource): Promise<LeaseCount> {
    return countLeases.run(this.#redis, leaseKeys(tenantId, resource), []);
  }

  /** Gives back what this process holds. Never rejects. */
  async close(): Promise<void> {
    clearInterval(this.#renewing);
    const held = [...this.#held.values()];
    this.#held.clear();
    await Promise.all(
      held.flatMap(({ tenantId, resource, leases }) =>
        [...leases].map((lease) => this.#end(tenantId, resource, lease)),
      ),
    );
  }

  #hold(tenantId: string, resource: LeasedResource, lease: string): void {
    const name = `${resource} ${tenantId}`;
    const held = this.#held.get(name) ?? { tenantId, resource, leases: new Set() };
    held.leases.add(lease);
    this.#held.set(name, held);
  }

  #release(tenantId: string, resource: LeasedResource, lease: string): void {
    const name = `${resource} ${tenantId}`;
    const held = this.#held.get(name);
    if (held?.leases.delete(lease) !== true) return;
    if (held.leases.size === 0) this.#held.delete(name);
    void this.#end(tenantId, resource, lease);
  }

  async #end(tenantId: string, resource: LeasedResource, lease: string): Promise<void> {
    await this.remove(tenantId, resource, lease).catch((error: unknown) => {
      this.#logger.debug({ err: error, tenantId, resource }, 'a lease counts until it runs out');
    });
  }

  async #renew(): Promise<void> {
    for (const { tenantId, resource, leases } of [...this.#held.values()]) {
      const all = [...leases];
      for (let index = 0; index < all.length; index += CHUNK) {
        // One that was given back meanwhile must not come back.
        const chunk = all.slice(index, index + CHUNK).filter((lease) => leases.has(lease));
        if (chunk.length === 0) continue;
        await renewLeases
          .run(this.#redis, leaseKeys(tenantId, resource), [LEASE_COUNTS_MS, ...chunk])
          .catch((error: unknown) => {
            this.#logger.debug({ err: error, tenantId, resource }, 'leases could not be renewed');
          });
      }
    }
  }
}

function leaseKeys(tenantId: string, resource: LeasedResource): string[] {
  return [keys.tenantLeases(tenantId, resource), keys.tenantLeaseWeights(tenantId, resource)];
}

function refusal(resource: LeasedResource, { outcome, count, weight, countLimit, weightLimit }: TakenLease) {
  const kind: LeaseKind = LEASE_KINDS[resource];
  if (outcome === 'heavy' && kind.weight !== undefined) {
    return limitError(kind.weight, kind.error, { limit: weightLimit, used: weight });
  }
  return limitError(kind.count, kind.error, { limit: countLimit, used: count });
}
