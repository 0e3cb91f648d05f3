import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';

/** How long a turn, or a place in the line, lasts without another call of `take`. Call about three times as often. */
export const DRAIN_TURN_MS = 10_000;
/** Workers of the whole cluster that drain at the same time. */
const AT_ONCE = 1;

/** What came of asking for a turn to drain. */
export interface TakenTurn {
  readonly hasTurn: boolean;
  /** For how long the holder may drain so that each worker in the line gets as much time before its own is up, ms. */
  readonly shareMs: number;
}

const takeDrainTurn = new Script('workers/take-drain-turn', (reply): TakenTurn => {
  const [taken, shareMs] = asList(reply).map(asNumber);
  return { hasTurn: taken === 1, shareMs: shareMs ?? 0 };
});

/**
 * Whose turn it is to drain. Whatever stops workers may stop all at once; taking turns, few of their sessions are away
 * at a time. A holder that dies loses its turn after 10 s. Time is that of Redis.
 */
export class DrainTurns {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Takes a turn, or keeps it. It gets none while others have theirs, or are before this worker. */
  take(worker: string, { timeLeftMs }: { timeLeftMs: number }): Promise<TakenTurn> {
    return takeDrainTurn.run(
      this.#redis,
      [keys.drainTurns, keys.drainLine, keys.drainLineLife],
      [worker, Math.max(0, Math.round(timeLeftMs)), DRAIN_TURN_MS, AT_ONCE],
    );
  }

  /** Gives the turn, or the place in the line, back. */
  async giveBack(worker: string): Promise<void> {
    await Promise.all(
      [keys.drainTurns, keys.drainLine, keys.drainLineLife].map((key) => this.#redis.zrem(key, worker)),
    );
  }
}
