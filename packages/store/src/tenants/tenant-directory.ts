import { randomBytes } from 'node:crypto';
import { type Tenant, WafleetError } from '@wafleet/contract';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { madeOrUnknown } from '../redis/made-or-unknown.js';
import { formatCursor, parseCursor } from '../redis/page-cursor.js';
import { asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import { isWrongType } from '../redis/unreadable-records.js';

const ID_BYTES = 9;

/** How many tenants a page with a filter reads, at most, and how many at once. */
const FILTERED_TENANTS = 1_000;
const READ_AT_ONCE = 200;

/** A tenant as it is stored. */
export interface TenantRecord extends Tenant {
  /** ms since 1970. */
  readonly createdAt?: number | undefined;
}

export interface TenantPage {
  readonly items: readonly TenantRecord[];
  readonly nextCursor: string | undefined;
}

const renameTenant = new Script('tenants/rename-tenant', asNumber);

/** The error of a tenant that does not exist. */
export function noTenant(tenantId: string): WafleetError {
  return new WafleetError('TENANT_NOT_FOUND', `There is no tenant ${tenantId}.`);
}

/** All tenants. */
export class TenantDirectory {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /**
   * Creates a tenant.
   * @param random bytes that its id is made from. A repeated call with the same name and bytes makes no other tenant.
   * @throws {WafleetError} OUTCOME_UNKNOWN if the command was sent and got no answer.
   */
  async create(name: string, random: Buffer = randomBytes(ID_BYTES)): Promise<Tenant> {
    const id = `tnt_${random.subarray(0, ID_BYTES).toString('base64url')}`;
    // Written in this order, so that a crash in between leaves an id without a tenant, never a tenant that no scan
    // finds.
    await this.#redis.sadd(keys.tenants, id);
    const making = this.#redis.hset(keys.tenant(id), { name, createdAt: Date.now() });
    await madeOrUnknown(making, 'Making another one does no harm: this one has no keys.');
    return { id, name };
  }

  async get(tenantId: string): Promise<TenantRecord | undefined> {
    const [name, createdAt] = await this.#redis.hmget(keys.tenant(tenantId), 'name', 'createdAt');
    if (name == null) return undefined;
    const at = Number(createdAt ?? Number.NaN);
    // Up to the last millisecond that a Date can hold.
    return { id: tenantId, name, ...(at >= 0 && at <= 8.64e15 ? { createdAt: at } : {}) };
  }

  /** Undefined for a record of another type, which does not hide the others. */
  async #readable(tenantId: string): Promise<TenantRecord | undefined> {
    try {
      return await this.get(tenantId);
    } catch (error) {
      if (isWrongType(error)) return undefined;
      throw error;
    }
  }

  /** @throws {WafleetError} TENANT_NOT_FOUND */
  async require(tenantId: string): Promise<TenantRecord> {
    const tenant = await this.get(tenantId);
    if (tenant === undefined) throw noTenant(tenantId);
    return tenant;
  }

  /** @throws {WafleetError} TENANT_NOT_FOUND */
  async rename(tenantId: string, name: string): Promise<void> {
    const renamed = await renameTenant.run(this.#redis, [keys.tenant(tenantId)], [name]);
    if (renamed === 0) throw noTenant(tenantId);
  }

  /**
   * One page of the tenants, in the order of their ids. Reads up to a thousand of them, so with `matches` a page may
   * have fewer than `limit`, or none, although there is a next one.
   * @throws {WafleetError} VALIDATION_FAILED if the cursor was not issued here.
   */
  async page(request: {
    readonly limit: number;
    readonly cursor?: string | undefined;
    readonly matches?: (tenant: TenantRecord) => boolean;
  }): Promise<TenantPage> {
    const { limit, cursor, matches = () => true } = request;
    const after = cursor === undefined ? '' : parseCursor(cursor).id;
    const ids = (await this.#redis.smembers(keys.tenants)).filter((id) => id > after).sort();
    const items: TenantRecord[] = [];
    for (let from = 0; from < Math.min(ids.length, FILTERED_TENANTS); from += READ_AT_ONCE) {
      const read = await Promise.all(ids.slice(from, from + READ_AT_ONCE).map((id) => this.#readable(id)));
      for (const tenant of read) {
        if (tenant === undefined || !matches(tenant)) continue;
        if (items.length === limit) return { items, nextCursor: cursorAfter(items.at(-1)?.id) };
        items.push(tenant);
      }
    }
    const last = ids.length > FILTERED_TENANTS ? ids[FILTERED_TENANTS - 1] : undefined;
    return { items, nextCursor: cursorAfter(last) };
  }
}

function cursorAfter(id: string | undefined): string | undefined {
  return id && formatCursor({ at: '0', id });
}
