import { randomUUID } from 'node:crypto';
import { type ErrorCode, limitError, type TenantLimit } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { TenantLimitTable } from './tenant-limits.js';

/** How long a lease counts after its last renewal. */
const LEASE_COUNTS_MS = 15_000;
const CHUNK = 500;

/** The resources that can be leased, with the error if the limit of that name is reached. */
const LEASE_ERRORS = {
  replays: 'TOO_MANY_REPLAYS',
  mediaDownloads: 'TOO_MANY_DOWNLOADS',
  mediaUploads: 'TOO_MANY_UPLOADS',
} as const satisfies Partial<Record<TenantLimit, ErrorCode>>;

export type LeasedResource = keyof typeof LEASE_ERRORS;

const takeLease = new Script('tenants/take-lease', (reply) => {
  const [isTaken, used = 0, limit = 0] = asList(reply).map(asNumber);
  return { isTaken: isTaken === 1, used, limit };
});
const renewLeases = new Script('tenants/renew-leases', asNumber);
const countLeases = new Script('tenants/count-leases', asNumber);

/**
 * Limits how much of a resource each tenant uses at a time, for the whole cluster. Each use is a lease in Redis that
 * its holder renews. The leases of a killed process stop counting 15 s later. `take` rejects if Redis does not answer.
 */
export class TenantLeases {
  readonly #redis: RedisConnection;
  readonly #limits: TenantLimitTable;
  readonly #holder: string;
  readonly #logger: Logger;
  /** The leases that this process holds, by tenant and resource. */
  readonly #held = new Map<string, { tenantId: string; resource: LeasedResource; leases: Set<string> }>();
  readonly #renewing: NodeJS.Timeout;

  constructor(options: {
    redis: RedisConnection;
    limits: TenantLimitTable;
    /** Unique name of this process. */
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
   * Takes a lease. Call the returned function to give it back; further calls of it do nothing.
   * @throws {WafleetError} TOO_MANY_REPLAYS, TOO_MANY_DOWNLOADS or TOO_MANY_UPLOADS, with `details` {resource, limit, used,
   * retryAfterMs}.
   */
  async take(tenantId: string, resource: LeasedResource): Promise<() => void> {
    const lease = `${this.#holder}/${randomUUID()}`;
    const { isTaken, used, limit } = await takeLease.run(
      this.#redis,
      [keys.tenantLimits(tenantId), keys.tenantLeases(tenantId, resource)],
      [lease, LEASE_COUNTS_MS, resource, this.#limits.defaults[resource]],
    );
    if (!isTaken) throw limitError(resource, LEASE_ERRORS[resource], { limit, used });
    this.#hold(tenantId, resource, lease);
    return () => this.#release(tenantId, resource, lease);
  }

  /** Returns how many leases a tenant has, in all processes together. */
  count(tenantId: string, resource: LeasedResource): Promise<number> {
    return countLeases.run(this.#redis, [keys.tenantLeases(tenantId, resource)], []);
  }

  /** Gives back all leases of this process. Never rejects. */
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
    await this.#redis.zrem(keys.tenantLeases(tenantId, resource), lease).catch((error: unknown) => {
      this.#logger.debug(
        { err: error, tenantId, resource },
        'could not release a lease; it counts until it expires',
      );
    });
  }

  async #renew(): Promise<void> {
    for (const { tenantId, resource, leases } of [...this.#held.values()]) {
      const all = [...leases];
      for (let index = 0; index < all.length; index += CHUNK) {
        // A lease that was given back meanwhile must not be renewed.
        const chunk = all.slice(index, index + CHUNK).filter((lease) => leases.has(lease));
        if (chunk.length === 0) continue;
        await renewLeases
          .run(this.#redis, [keys.tenantLeases(tenantId, resource)], [LEASE_COUNTS_MS, ...chunk])
          .catch((error: unknown) => {
            this.#logger.debug({ err: error, tenantId, resource }, 'leases could not be renewed');
          });
      }
    }
  }
}
