import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';

/** How long an edge's sockets count after its last beat. Beat about three times within it. */
export const EDGE_COUNTS_MS = 6_000;
/** How long a count is kept after its last write. Write unchanged counts more often than this. */
export const SOCKET_COUNTS_LIFE_MS = 10 * 60_000;

const CHUNK = 500;

/** Whose sockets are counted: `key:<key id>` or `tenant:<tenant id>`. */
export type SocketOwner = `key:${string}` | `tenant:${string}`;

/** A count that includes the new socket. */
export interface BoundedCount {
  readonly of: SocketOwner;
  /** How many sockets this edge has, without the new one. */
  readonly own: number;
  /** How many sockets all edges together may have. */
  readonly limit: number;
}

export interface SocketAdmission {
  /** The first count that is full. Undefined if the socket was admitted. */
  readonly full: BoundedCount | undefined;
  /** How many sockets the other edges have, in the order of the counts. */
  readonly others: readonly number[];
}

const admitSocket = new Script('edges/admit-socket', (reply) => asList(reply).map(asNumber));
const countSockets = new Script('edges/count-sockets', asNumber);
const beatEdge = new Script('edges/beat-edge', asNumber);

/** How many sockets a tenant has on all running edges. */
export function countSocketsOf(redis: RedisConnection, of: SocketOwner): Promise<number> {
  return countSockets.run(redis, [keys.edgesCounting, keys.socketCounts(of)], []);
}

/**
 * How many sockets each API key and each tenant has on all edges together. Each edge reports its own sockets, and they
 * count while it runs. The sockets of a killed edge stop counting after 6 s.
 */
export class SocketCounts {
  readonly #redis: RedisConnection;
  readonly #edgeId: string;

  constructor(redis: RedisConnection, { edgeId }: { edgeId: string }) {
    this.#redis = redis;
    this.#edgeId = edgeId;
  }

  /** Reports that this edge runs. Before the first beat its sockets do not count at other edges. */
  async beat(): Promise<void> {
    await beatEdge.run(this.#redis, [keys.edgesCounting], [this.#edgeId, EDGE_COUNTS_MS]);
  }

  /** Adds one socket to all the counts. If one of them is full, adds it to none. */
  async admit(counts: readonly BoundedCount[]): Promise<SocketAdmission> {
    const [full = 0, ...others] = await admitSocket.run(
      this.#redis,
      [keys.edgesCounting, ...counts.map(({ of }) => keys.socketCounts(of))],
      [this.#edgeId, SOCKET_COUNTS_LIFE_MS, ...counts.flatMap(({ own, limit }) => [own, limit])],
    );
    return { full: full === 0 ? undefined : counts[full - 1], others };
  }

  /** Writes how many sockets this edge has for each count; 0 for none. */
  async write(counts: ReadonlyMap<SocketOwner, number>): Promise<void> {
    const all = [...counts];
    for (let index = 0; index < all.length; index += CHUNK) {
      await Promise.all(all.slice(index, index + CHUNK).map(([of, count]) => this.#write(of, count)));
    }
  }

  /** Call it when this edge ends: its sockets stop counting at once. */
  async end(): Promise<void> {
    await this.#redis.zrem(keys.edgesCounting, this.#edgeId);
  }

  async #write(of: SocketOwner, count: number): Promise<void> {
    const key = keys.socketCounts(of);
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
