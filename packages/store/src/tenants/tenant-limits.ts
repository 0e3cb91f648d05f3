import {
  DEFAULT_TENANT_LIMITS,
  limitValueSchema,
  mapLimits,
  TENANT_LIMIT_NAMES,
  type TenantLimit,
  type TenantLimits,
} from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { UnreadableRecords } from '../redis/unreadable-records.js';

/** How long the limits of a tenant are cached. A change takes effect after at most this time. */
const REMEMBER_MS = 2_000;
/** How many tenants are cached. */
const REMEMBERED_TENANTS = 10_000;

/** New values. Null resets a limit to its default. An absent limit stays unchanged. */
export type TenantLimitChanges = Readonly<Partial<Record<TenantLimit, number | null | undefined>>>;

interface Remembered {
  limits: TenantLimits;
  /** When they were read, by `performance.now()`. */
  at: number;
  reading: Promise<TenantLimits> | undefined;
}

function isLimit(name: string): name is TenantLimit {
  return TENANT_LIMIT_NAMES.some((each) => each === name);
}

/**
 * Parses the defaults of a cluster, such as `sessions=500,logBytes=67108864`. Limits that are not named keep their
 * defaults.
 * @returns undefined if the text is not valid.
 */
export function parseTenantLimits(text: string): TenantLimits | undefined {
  const named = new Map<string, number>();
  for (const part of text.split(',').filter((each) => each.trim() !== '')) {
    const [name = '', value = ''] = part.split('=').map((each) => each.trim());
    if (!isLimit(name) || !/^\d+$/.test(value)) return undefined;
    if (!limitValueSchema(name).safeParse(Number(value)).success) return undefined;
    named.set(name, Number(value));
  }
  return mapLimits((name) => named.get(name) ?? DEFAULT_TENANT_LIMITS[name]);
}

/**
 * The limits of all tenants: those that the administrator set, else the defaults. Scripts that count in a tenant's slot
 * read the stored limit themselves, so a change takes effect there at once. All other code reads them here.
 */
export class TenantLimitTable {
  readonly #redis: RedisConnection;
  readonly #unreadable: UnreadableRecords;
  /** The limits for tenants that have none of their own. */
  readonly defaults: TenantLimits;
  readonly #remembered = new Map<string, Remembered>();

  /** @param options.logger logs the names of unreadable limits, each once in five minutes. Such limits are ignored. */
  constructor(
    redis: RedisConnection,
    defaults: TenantLimits = DEFAULT_TENANT_LIMITS,
    options: { logger?: Logger } = {},
  ) {
    this.#redis = redis;
    this.defaults = defaults;
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /** Reads the limits from Redis. */
  async read(tenantId: string): Promise<TenantLimits> {
    return { ...this.defaults, ...(await this.readOwn(tenantId)) };
  }

  /** Reads the limits that the administrator set. */
  async readOwn(tenantId: string): Promise<Partial<TenantLimits>> {
    const read = this.#redis.hgetall(keys.tenantLimits(tenantId));
    const record = { kind: 'tenant-limits', name: tenantId, tenantId };
    const stored = await this.#unreadable.readOr(read, {}, record);
    const own: Partial<Record<TenantLimit, number>> = {};
    const fields: TenantLimit[] = [];
    for (const name of TENANT_LIMIT_NAMES) {
      const text = stored[name];
      if (text === undefined) continue;
      const { data } = limitValueSchema(name).safeParse(/^\d+$/.test(text) ? Number(text) : undefined);
      if (data === undefined) fields.push(name);
      else own[name] = data;
    }
    if (fields.length > 0) this.#unreadable.report({ ...record, fields });
    return own;
  }

  /** Stores new limits. They take effect in all processes within 2 s. The tenant must exist. */
  async change(tenantId: string, changes: TenantLimitChanges): Promise<void> {
    const set = TENANT_LIMIT_NAMES.flatMap((name) => {
      const value = changes[name];
      return value === undefined || value === null ? [] : [name, value];
    });
    const removed = TENANT_LIMIT_NAMES.filter((name) => changes[name] === null);
    const key = keys.tenantLimits(tenantId);
    // A record of another type cannot be read, and is replaced.
    const type = await this.#redis.type(key);
    if (type !== 'hash' && type !== 'none') await this.#redis.del(key);
    await Promise.all([
      set.length > 0 ? this.#redis.hset(key, ...set) : undefined,
      removed.length > 0 ? this.#redis.hdel(key, ...removed) : undefined,
    ]);
    this.#remembered.delete(tenantId);
  }

  /**
   * Returns the limits as of at most 2 s ago. Without Redis, returns the last known limits or the defaults. Never
   * rejects.
   */
  async get(tenantId: string): Promise<TenantLimits> {
    const known = this.#remembered.get(tenantId);
    if (known !== undefined && performance.now() - known.at < REMEMBER_MS) return known.limits;
    return this.#refresh(tenantId);
  }

  /**
   * Like `get`, but does not wait: returns the last known limits or the defaults, and reads newer ones in the
   * background. For code that runs for each event.
   */
  latest(tenantId: string): TenantLimits {
    const known = this.#remembered.get(tenantId);
    if (known === undefined || performance.now() - known.at >= REMEMBER_MS) void this.#refresh(tenantId);
    return known?.limits ?? this.defaults;
  }

  #refresh(tenantId: string): Promise<TenantLimits> {
    const entry = this.#remembered.get(tenantId) ?? {
      limits: this.defaults,
      at: Number.NEGATIVE_INFINITY,
      reading: undefined,
    };
    this.#remember(tenantId, entry);
    entry.reading ??= this.read(tenantId)
      .then((limits) => {
        entry.limits = limits;
        return limits;
      })
      .catch(() => entry.limits)
      .finally(() => {
        // Also set after a failure, so that an outage does not cause a read for each event.
        entry.at = performance.now();
        entry.reading = undefined;
      });
    return entry.reading;
  }

  #remember(tenantId: string, entry: Remembered): void {
    // The most recently used limits are the last ones in the map.
    this.#remembered.delete(tenantId);
    this.#remembered.set(tenantId, entry);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED_TENANTS && oldest !== undefined) this.#remembered.delete(oldest);
  }
}
