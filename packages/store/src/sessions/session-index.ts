import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { SessionRef } from '../redis/session-ref.js';
import { UnreadableRecords } from '../redis/unreadable-records.js';

/** How long a tenant without unowned sessions stays listed after the last one was noted, ms. */
const TENANT_QUIET_MS = 10 * 60 * 1000;
/** Commands sent to Redis at once. */
const AT_ONCE = 100;

const reindexSession = new Script('sessions/reindex-session', asNumber);

/**
 * Finds the sessions that a worker owns, and those that want a worker and have none, without reading all sessions.
 *
 * The ids are stored beside the owner records, in sets of the same tenant. Scripts that change an owner record also
 * change the sets. The list of tenants with such a set is in another slot of a Redis Cluster. It is therefore written
 * before the script runs, and may name tenants that have no such session. An entry may be out of date after a failover
 * or a change by an earlier release, so readers also check the owner record. The slow comparison of all sessions adds
 * missing entries (see Reconciler).
 */
export class SessionIndex {
  readonly #redis: RedisConnection;
  readonly #unreadable: UnreadableRecords;

  /**
   * @param options.logger logs the names of unreadable records, each once in five minutes. They do not hide the others.
   */
  constructor(redis: RedisConnection, options: { logger?: Logger } = {}) {
    this.#redis = redis;
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /** Call it before a worker claims a session of the tenant. */
  async noteOwner(worker: string, tenantId: string): Promise<void> {
    const ofWorker = keys.tenantsOf(worker);
    await Promise.all([
      this.#enter(keys.owners, () => this.#redis.sadd(keys.owners, worker)),
      this.#enter(ofWorker, () => this.#redis.sadd(ofWorker, tenantId)),
    ]);
  }

  /** Call it before a session of the tenant may lose its owner, or is created. */
  async noteUnowned(tenantId: string): Promise<void> {
    const key = keys.unownedTenants;
    await this.#enter(key, () => this.#redis.zadd(key, String(Date.now()), tenantId));
  }

  /** The workers that may own sessions, dead ones too. */
  owners(): Promise<string[]> {
    return this.#read(keys.owners, this.#redis.smembers(keys.owners));
  }

  /** Up to `most` sessions that a worker may own. A dead worker without any is forgotten. */
  async ownedBy(worker: string, most: number): Promise<SessionRef[]> {
    const tenantIds = await this.tenantsOf(worker);
    return this.#some(tenantIds, (tenantId) => keys.owned(tenantId, worker), most);
  }

  /** The tenants whose sessions a worker may own. */
  tenantsOf(worker: string): Promise<string[]> {
    const key = keys.tenantsOf(worker);
    return this.#read(key, this.#redis.smembers(key));
  }

  /** All sessions of the tenants that a worker may own. */
  async ownedOf(worker: string, tenantIds: readonly string[]): Promise<SessionRef[]> {
    const found = await Promise.all(
      tenantIds.map(async (tenantId) => {
        const key = keys.owned(tenantId, worker);
        const ids = await this.#read(key, this.#redis.smembers(key), tenantId);
        return ids.map((sessionId) => ({ tenantId, sessionId }));
      }),
    );
    return found.flat();
  }

  /** Forgets a dead worker that no longer owns a session. */
  async forgetOwner(worker: string): Promise<void> {
    await this.#redis.del(keys.tenantsOf(worker));
    await this.#redis.srem(keys.owners, worker);
  }

  /**
   * Returns up to `most` sessions that may want a worker and have none, a random selection if there are more. Tenants
   * take turns, so that a tenant with many such sessions, such as postponed removals, does not hide those of others.
   */
  async unowned(most: number): Promise<SessionRef[]> {
    const listed = await this.#read(keys.unownedTenants, this.#redis.zrange(keys.unownedTenants, 0, '-1'));
    const found = await this.#some(shuffled(listed), keys.unowned, most);
    if (found.length === 0 && listed.length > 0) {
      await this.#redis.zremrangebyscore(keys.unownedTenants, '-inf', String(Date.now() - TENANT_QUIET_MS));
    }
    return found;
  }

  /**
   * Enters a session into the right index and removes it from the wrong one, given the worker in its owner record. Also
   * enters it into the order of its tenant's sessions.
   */
  async reindex({ tenantId, sessionId }: SessionRef, worker: string | undefined): Promise<void> {
    const ref = { tenantId, sessionId };
    const reindexed = reindexSession.run(
      this.#redis,
      [
        ...[keys.owner(ref), keys.session(ref), keys.unowned(tenantId), keys.owned(tenantId, worker ?? '')],
        ...[keys.sessions(tenantId), keys.sessionOrder(tenantId)],
      ],
      [sessionId, worker ?? ''],
    );
    // The owner record or an index may have another type, which must not end a sweep of all sessions.
    const name = `${tenantId}/${sessionId}`;
    await this.#unreadable.readOr(reindexed, 0, { kind: 'session-index', name, ...ref });
  }

  #read(key: string, read: Promise<string[]>, tenantId?: string): Promise<string[]> {
    return this.#unreadable.readOr(read, [], { kind: 'session-index', name: key, tenantId });
  }

  /** Deletes a list that has another type. The comparison of all sessions adds the missing entries again. */
  async #enter(key: string, enter: () => Promise<number>): Promise<void> {
    const record = { kind: 'session-index', name: key };
    const entered = await this.#unreadable.readOr<number | undefined>(enter(), undefined, record);
    if (entered !== undefined) return;
    await this.#redis.del(key);
    await enter();
  }

  async #some(
    tenantIds: readonly string[],
    keyOf: (tenantId: string) => string,
    most: number,
  ): Promise<SessionRef[]> {
    const found: SessionRef[] = [];
    for (let from = 0; from < tenantIds.length && found.length < most; from += AT_ONCE) {
      const page = await Promise.all(
        tenantIds.slice(from, from + AT_ONCE).map(async (tenantId) => {
          const key = keyOf(tenantId);
          const ids = await this.#read(key, this.#redis.srandmember(key, most), tenantId);
          return ids.map((sessionId) => ({ tenantId, sessionId }));
        }),
      );
      found.push(...inTurns(page));
    }
    return found.slice(0, most);
  }
}

/** Interleaves lists: returns the first element of each, then the second of each that has one, and so on. */
function inTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, turn) =>
    lists.flatMap((list) => list.slice(turn, turn + 1)),
  ).flat();
}

function shuffled<T>(items: readonly T[]): T[] {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    const [one, two] = [mixed[last], mixed[other]];
    if (one !== undefined && two !== undefined) [mixed[last], mixed[other]] = [two, one];
  }
  return mixed;
}
