import type { RedisConnection } from './connection.js';
import { keys } from './keyspace.js';
import { asList, asNumber } from './reply.js';
import { Script } from './script.js';

/** How long an edge's sockets count after it beat last. Beat about three times as often. */
export const EDGE_COUNTS_MS = 6_000;
/** How long the counts of one key are kept without being written. Write those that stay the same more often. */
export const SOCKET_COUNTS_LIFE_MS = 10 * 60_000;

const CHUNK = 500;

const admitSocket = new Script('admit-socket', (reply) => {
  const [isAdmitted, others] = asList(reply);
  return { isAdmitted: asNumber(isAdmitted) === 1, others: asNumber(others) };
});
const beatEdge = new Script('beat-edge', asNumber);

/**
 * How many sockets of each API key all edges have together: what each edge says of itself, as long as that edge runs.
 * Those of an edge that was killed stop counting 6 s later.
 */
export class SocketCounts {
  readonly #redis: RedisConnection;
  readonly #edgeId: string;

  constructor(redis: RedisConnection, { edgeId }: { edgeId: string }) {
    this.#redis = redis;
    this.#edgeId = edgeId;
  }

  /** Says that this edge runs. Until it has, its sockets do not count for others. */
  async beat(): Promise<void> {
    await beatEdge.run(this.#redis, [keys.edgesCounting], [this.#edgeId, EDGE_COUNTS_MS]);
  }

  /**
   * Counts one socket more of a key, unless all edges have as many as the limit allows.
   * @param options.own how many this edge has without it.
   */
  async admit(
    keyId: string,
    { own, limit }: { own: number; limit: number },
  ): Promise<{ readonly isAdmitted: boolean; readonly others: number }> {
    return admitSocket.run(
      this.#redis,
      [keys.edgesCounting, keys.socketCounts(keyId)],
      [this.#edgeId, own, limit, SOCKET_COUNTS_LIFE_MS],
    );
  }

  /** Writes how many sockets of each key this edge has, 0 for none. */
  async write(counts: ReadonlyMap<string, number>): Promise<void> {
    const all = [...counts];
    for (let index = 0; index < all.length; index += CHUNK) {
      await Promise.all(all.slice(index, index + CHUNK).map(([keyId, count]) => this.#write(keyId, count)));
    }
  }

  /** This edge has ended: its sockets stop counting at once. */
  async end(): Promise<void> {
    await this.#redis.zrem(keys.edgesCounting, this.#edgeId);
  }

  async #write(keyId: string, count: number): Promise<void> {
    const key = keys.socketCounts(keyId);
    if (count === 0) {
      await this.#redis.hdel(key, this.#edgeId);
      return;
    }
    await Promise.all([
      this.#redis.hset(key, this.#edgeId, count),
      this.#redis.pexpire(key, SOCKET_COUNTS_LIFE_MS),
    ]);
  }
}
