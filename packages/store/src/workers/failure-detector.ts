import type { RedisConnection } from '../redis/connection.js';
import { channels, keys } from '../redis/keyspace.js';
import { asList, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { WorkerState } from './worker-registry.js';

/** Four attempts to reconnect fit into `witnessed` (50, 150, 350 and 750 ms), eight into `unwitnessed`. */
const PATIENCE_MS = { witnessed: 1_000, unwitnessed: 5_000 };

const findDeadWorkers = new Script('workers/find-dead-workers', (reply) => asList(reply).map(asText));

/**
 * Finds workers whose process has ended by the end of their lifelines, long before their leases expire.
 *
 * A worker announces the token of its lifeline in its heartbeat; the token's channel has a subscriber exactly while
 * that very connection is open. Each look reads all lifelines in one script and stores in Redis since when each was
 * open or gone, so that looks of different placers add up. A worker counts as dead if its lifeline
 *
 * 1. was seen open, under the token that its latest heartbeat names, in the same run of the Redis server,
 * 2. has been gone for a second by the clock of Redis,
 * 3. and at least as many other lifelines, unbroken since before it went, are open as are gone.
 *
 * Other causes that close connections must not count as death:
 *
 * - Redis restarts or fails over: the new run of the server has seen no lifeline yet, so by (1) no worker is missing.
 * - Redis, a proxy or the network cuts all connections: no lifeline is unbroken, so (3) holds for no worker. A worker
 *   that reconnects has a new token, and counts as open from then on. A worker that is still gone after five seconds
 *   (eight attempts) counts as dead if at least as many workers are back, or if it is the only one gone.
 * - Most of the workers are cut off: (3) fails, and the leases decide.
 * - One worker's connection breaks: it is back, with a new token, within two attempts.
 * - A worker belongs to a release without lifelines, or its lifeline never opened: (1) fails, and its lease decides.
 *
 * A worker's death is recorded in one place, its lease. The look deletes the lease, so that all processes get the same
 * answer on whether the worker lives. A worker that lives nevertheless notices the loss at its next renewal and starts
 * again. The fence makes such a mistake harmless; it costs a login for each of its sessions.
 *
 * The looks must reach the server that the lifelines are connected to. Leases, lifelines and their channels share a
 * hash tag, so in a Redis Cluster both are the one server of that slot.
 */
export class WorkerFailureDetector {
  readonly #redis: RedisConnection;
  readonly #patienceMs: typeof PATIENCE_MS;

  constructor(redis: RedisConnection, patienceMs = PATIENCE_MS) {
    this.#redis = redis;
    this.#patienceMs = patienceMs;
  }

  /**
   * Checks these workers, which should be all workers with a lease, and ends the leases of the dead ones. Resolves to
   * the ids of the dead. It takes two looks to detect a death, so call it about twice a second.
   */
  async look(workers: readonly WorkerState[]): Promise<string[]> {
    const holders = workers.flatMap(({ id, lifeline }) => (lifeline === undefined ? [] : [{ id, lifeline }]));
    const { witnessed, unwitnessed } = this.#patienceMs;
    return findDeadWorkers.run(
      this.#redis,
      [
        keys.heartbeats,
        keys.lifelines,
        ...holders.flatMap(({ id, lifeline }) => [keys.lease(id), channels.lifeline(lifeline)]),
      ],
      [witnessed, unwitnessed, ...holders.flatMap(({ id, lifeline }) => [id, lifeline])],
    );
  }
}
