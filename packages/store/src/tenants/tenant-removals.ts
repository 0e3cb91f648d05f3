import type { RedisConnection } from '../redis/connection.js';
import { isKeyOfTenant, keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import { noTenant } from './tenant-directory.js';

/** How long nothing can be made in a tenant that is gone: longer than any call that began before. */
const TOMBSTONE_MS = 60 * 60 * 1000;
/** How long one edge goes on with a removal alone, unless it takes the turn again: longer than one of its steps. */
const TURN_MS = 60_000;
/** How many names one step of a scan reads, about. */
const SCAN_COUNT = 1_000;

const markRemoval = new Script('tenants/mark-tenant-removal', asNumber);

/** A tenant that is being removed. */
export interface TenantRemovalState {
  /** When it began, ms since 1970. */
  readonly since: number;
  /** When everything was wiped, ms since 1970; undefined until then. */
  readonly purgedAt: number | undefined;
  readonly sessionsLeft: number;
}

/**
 * Which tenants are being removed. The mark stands in the tenant's own slot, where the scripts that create sessions and
 * API keys read it. The list of all removals is in another slot and therefore written before the mark.
 */
export class TenantRemovals {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** @throws {WafleetError} TENANT_NOT_FOUND */
  async mark(tenantId: string): Promise<void> {
    await this.#redis.sadd(keys.tenantRemovals, tenantId);
    const marked = await markRemoval.run(
      this.#redis,
      [keys.tenant(tenantId), keys.tenantRemoval(tenantId)],
      [],
    );
    if (marked === 1) return;
    // A removal whose last step is still to come stays listed.
    if ((await this.get(tenantId)) === undefined) await this.#redis.srem(keys.tenantRemovals, tenantId);
    throw noTenant(tenantId);
  }

  /** Undefined if the tenant is not being removed. */
  async get(tenantId: string): Promise<TenantRemovalState | undefined> {
    const [since, purgedAt] = await this.#redis.hmget(keys.tenantRemoval(tenantId), 'since', 'purgedAt');
    if (since == null) return undefined;
    return {
      since: Number(since),
      purgedAt: purgedAt == null ? undefined : Number(purgedAt),
      sessionsLeft: await this.#redis.scard(keys.sessions(tenantId)),
    };
  }

  /** The tenants whose removals have not ended. */
  pending(): Promise<string[]> {
    return this.#redis.smembers(keys.tenantRemovals);
  }

  /**
   * Whether this edge is to go on with a removal. For a minute no other one is, unless this one calls `endTurn`. Two at a
   * time would do no harm.
   */
  async takeTurn(tenantId: string, edge: string): Promise<boolean> {
    const key = keys.tenantRemovalTurn(tenantId);
    if ((await this.#redis.set(key, edge, 'PX', TURN_MS, 'NX')) === 'OK') return true;
    if ((await this.#redis.get(key)) !== edge) return false;
    await this.#redis.set(key, edge, 'PX', TURN_MS);
    return true;
  }

  async endTurn(tenantId: string): Promise<void> {
    await this.#redis.del(keys.tenantRemovalTurn(tenantId));
  }

  /**
   * Wipes everything of a tenant whose sessions and API keys are gone, except for the mark and the list of its keys. A
   * repeated call is safe.
   */
  async purge(tenantId: string): Promise<void> {
    await this.#wipe(tenantId, [keys.tenantRemoval(tenantId), keys.apiKeys(tenantId)]);
    await this.#redis.hset(keys.tenantRemoval(tenantId), 'purgedAt', Date.now());
  }

  /**
   * Wipes what calls that were under way wrote after `purge`, and ends the removal. The mark stays for an hour, so that
   * no call that began before makes anything.
   */
  async finish(tenantId: string): Promise<void> {
    await this.#wipe(tenantId, [keys.tenantRemoval(tenantId)]);
    await this.#redis.pexpire(keys.tenantRemoval(tenantId), TOMBSTONE_MS);
    await this.#redis.srem(keys.tenantRemovals, tenantId);
  }

  /** Scans all names: a list of the kinds of keys would leave out those of a later release. */
  async #wipe(tenantId: string, kept: readonly string[]): Promise<void> {
    const stream = this.#redis.scanStream({ match: `wf:*${tenantId}*`, count: SCAN_COUNT });
    for await (const names of stream) {
      const doomed = (names as string[]).filter((key) => isKeyOfTenant(key, tenantId) && !kept.includes(key));
      // One by one: they may be in several slots.
      await Promise.all(doomed.map((key) => this.#redis.unlink(key)));
    }
    const due = this.#redis.zscanStream(keys.jobsDue, { match: `${tenantId}/*`, count: SCAN_COUNT });
    for await (const found of due) {
      const jobs = (found as string[]).filter((_, index) => index % 2 === 0);
      if (jobs.length > 0) await this.#redis.zrem(keys.jobsDue, ...jobs);
    }
    const workers = await this.#redis.smembers(keys.owners);
    await Promise.all([
      ...workers.map((worker) => this.#redis.srem(keys.tenantsOf(worker), tenantId)),
      this.#redis.zrem(keys.unownedTenants, tenantId),
      this.#redis.zrem(keys.jobTurns, tenantId),
      this.#redis.srem(keys.tenants, tenantId),
    ]);
  }
}
