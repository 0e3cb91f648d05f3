import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';

/**
 * How long a turn, or a place in the line, lasts without another call of `take`. Call it about three times within it.
 */
export const DRAIN_TURN_MS = 10_000;
/** How many workers of the whole cluster drain at the same time. */
const AT_ONCE = 1;

/** The result of a request for a turn to drain. */
export interface TakenTurn {
  readonly hasTurn: boolean;
  /**
   * How long the holder may drain, ms, so that each worker in the line gets the same time before its own time is up.
   */
  readonly shareMs: number;
}

const takeDrainTurn = new Script('workers/take-drain-turn', (reply): TakenTurn => {
  const [taken, shareMs] = asList(reply).map(asNumber);
  return { hasTurn: taken === 1, shareMs: shareMs ?? 0 };
});

/**
 * Decides which worker may drain. All workers may be stopped at once, for example by a deployment. Because they take
 * turns, few of their sessions are away at a time. A holder that dies loses its turn after 10 s. The time is that of
 * Redis.
 */
export class DrainTurns {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Takes a turn, or keeps it. The worker gets none while others have theirs, or are before it in the line. */
  take(worker: string, { timeLeftMs }: { timeLeftMs: number }): Promise<TakenTurn> {
    return takeDrainTurn.run(
      this.#redis,
      [keys.drainTurns, keys.drainLine, keys.drainLineLife],
      [worker, Math.max(0, Math.round(timeLeftMs)), DRAIN_TURN_MS, AT_ONCE],
    );
  }

  /** Gives back the turn, or the place in the line. */
  async giveBack(worker: string): Promise<void> {
    await Promise.all(
      [keys.drainTurns, keys.drainLine, keys.drainLineLife].map((key) => this.#redis.zrem(key, worker)),
    );
  }
}
