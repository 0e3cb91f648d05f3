import { limitError, TENANT_LIMITS, type TenantLimit } from '@wafleet/contract';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { TenantLimitTable } from './tenant-limits.js';

/** The limits that are rates. */
export type RateLimit = {
  [N in TenantLimit]: (typeof TENANT_LIMITS)[N]['kind'] extends 'rate' ? N : never;
}[TenantLimit];

/** A bucket of a tenant. */
export interface RateBucket {
  readonly limit: RateLimit;
  /**
   * Selects one of several buckets with this limit, such as by the id of an API key. Default: the tenant's only one.
   */
  readonly of?: string;
}

/** The state of a bucket after a call. */
export interface BucketState {
  readonly limit: number;
  readonly remaining: number;
  /** ms until it is full again. */
  readonly resetMs: number;
}

export interface TakenTokens {
  readonly isTaken: boolean;
  /** ms after which a retry may succeed; 0 if the tokens were taken. */
  readonly retryAfterMs: number;
  /** In the order of the requested buckets. */
  readonly buckets: readonly BucketState[];
}

const takeTokens = new Script('tenants/take-tokens', (reply): TakenTokens => {
  const [isTaken, retryAfterMs, ...states] = asList(reply).map(asNumber);
  const buckets: BucketState[] = [];
  for (let index = 0; index < states.length; index += 3) {
    const [limit = 0, remaining = 0, resetMs = 0] = states.slice(index, index + 3);
    buckets.push({ limit, remaining, resetMs });
  }
  return { isTaken: isTaken === 1, retryAfterMs: retryAfterMs ?? 0, buckets };
});

/**
 * Limits the rates of tenants, for the whole cluster, by token buckets in Redis. A bucket holds the tokens of one
 * window and fills within one window. One call is one round trip. Rejects if Redis does not answer.
 */
export class TenantRates {
  readonly #redis: RedisConnection;
  readonly #limits: TenantLimitTable;

  constructor(redis: RedisConnection, limits: TenantLimitTable) {
    this.#redis = redis;
    this.#limits = limits;
  }

  /**
   * Takes tokens out of all the buckets, or out of none.
   * @param options.isDebt For costs that are known only afterwards: takes the tokens if at least one is left, and the
   * rest is owed.
   */
  take(
    tenantId: string,
    buckets: readonly RateBucket[],
    { cost, isDebt = false }: { cost: number; isDebt?: boolean },
  ): Promise<TakenTokens> {
    return takeTokens.run(
      this.#redis,
      [
        keys.tenantLimits(tenantId),
        ...buckets.map(({ limit, of }) =>
          keys.tenantRate(tenantId, of === undefined ? limit : `${limit}:${of}`),
        ),
      ],
      [
        cost,
        isDebt ? 'debt' : 'all',
        ...buckets.flatMap(({ limit }) => [
          limit,
          this.#limits.defaults[limit],
          TENANT_LIMITS[limit].windowS * 1000,
        ]),
      ],
    );
  }

  /** Takes tokens out of one bucket. @throws {WafleetError} RATE_LIMITED */
  async require(
    tenantId: string,
    bucket: RateBucket,
    options: { cost: number; isDebt?: boolean },
  ): Promise<BucketState> {
    const { isTaken, retryAfterMs, buckets } = await this.take(tenantId, [bucket], options);
    const [state = { limit: 0, remaining: 0, resetMs: 0 }] = buckets;
    if (isTaken) return state;
    throw limitError(bucket.limit, 'RATE_LIMITED', { limit: state.limit, retryAfterMs });
  }

  /** Reads how full the buckets are, without taking anything. */
  async look(tenantId: string, buckets: readonly RateBucket[]): Promise<readonly BucketState[]> {
    return (await this.take(tenantId, buckets, { cost: 0 })).buckets;
  }
}
