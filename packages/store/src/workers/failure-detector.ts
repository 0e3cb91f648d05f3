import type { RedisConnection } from '../redis/connection.js';
import { channels, keys } from '../redis/keyspace.js';
import { asList, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { WorkerState } from './worker-registry.js';

/** Four attempts to reconnect fit into the first (50, 150, 350 and 750 ms), eight into the second. */
const PATIENCE_MS = { witnessed: 1_000, unwitnessed: 5_000 };

const findDeadWorkers = new Script('workers/find-dead-workers', (reply) => asList(reply).map(asText));

/**
 * Finds workers whose process has ended, long before their leases run out, by the end of their lifelines.
 *
 * A worker announces the token of its lifeline in its heartbeat; the token's channel has a subscriber exactly while
 * that very connection is open. Each look reads all lifelines in one script and remembers, in Redis, since when each
 * was open or gone, so that looks of different placers add up. A worker counts as dead when its lifeline
 *
 * 1. was seen open, under the token that its latest heartbeat names, in the same run of the Redis server,
 * 2. has been gone for a second by the clock of Redis,
 * 3. and at least as many other lifelines, unbroken since before it went, are open as are gone.
 *
 * What else closes connections must not look like death:
 *
 * - Redis restarts or fails over: another run of the server has seen nobody yet, so by (1) nobody is missing.
 * - Redis, a proxy or the network cuts everybody's connections: nobody's is unbroken, so (3) holds for no one. Who
 *   reconnects has a new token, and is open from then on. A worker that is still gone after five seconds, eight
 *   attempts, counts as dead if at least as many are back, or if it is the only one gone.
 * - The greater part of the workers is cut off: (3) fails; the leases decide.
 * - One worker's connection breaks: it is back, with a new token, within two attempts.
 * - A worker of a release without a lifeline, or whose lifeline never opened: (1) fails; its lease decides.
 *
 * That a worker is dead is said in one place, its lease: the look deletes it, so that whoever asks whether a worker
 * lives gets the same answer, and a worker that does live, against all this, learns of it at its next renewal and
 * begins anew. The fence makes such a mistake harmless; it costs a login for each of its sessions.
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
   * Looks at these workers, which should be all whose lease lives, and ends the leases of those that are dead.
   * Resolves to their ids. A death shows after two looks, so look twice a second or so.
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
