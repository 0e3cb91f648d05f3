import { randomBytes } from 'node:crypto';
import { type Tenant, WafleetError } from '@wafleet/contract';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { madeOrUnknown } from '../redis/made-or-unknown.js';

const ID_BYTES = 9;

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

  async get(tenantId: string): Promise<Tenant | undefined> {
    const name = await this.#redis.hget(keys.tenant(tenantId), 'name');
    return name === null ? undefined : { id: tenantId, name };
  }

  /** @throws {WafleetError} TENANT_NOT_FOUND */
  async require(tenantId: string): Promise<Tenant> {
    const tenant = await this.get(tenantId);
    if (tenant === undefined) throw new WafleetError('TENANT_NOT_FOUND', `There is no tenant ${tenantId}.`);
    return tenant;
  }
}
