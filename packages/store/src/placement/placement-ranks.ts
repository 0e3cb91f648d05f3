import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { SessionRef } from '../sessions/session-ref.js';

/** An entry that its taker forgot, by dying, stops to count then. */
const FORGOTTEN_AFTER_MS = 600_000;

const joinLine = new Script('placement/join-line', (reply) => asList(reply).map(asNumber));

/**
 * How many sessions of each tenant wait for a placement, for each reason: what a queue needs that is to serve
 * tenants in turn. The numbers are right as long as whoever takes a session off the queue says so; an entry that was
 * forgotten makes its tenant wait a little longer while others wait, for ten minutes at the most.
 */
export class PlacementRanks {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Enters sessions of one tenant, and resolves to each one's place among those that wait: 1 for the first. */
  join(tenantId: string, reason: string, sessionIds: readonly string[]): Promise<number[]> {
    return joinLine.run(
      this.#redis,
      [keys.placementLine(tenantId, reason)],
      [FORGOTTEN_AFTER_MS, ...sessionIds],
    );
  }

  async leave({ tenantId, sessionId }: SessionRef, reason: string): Promise<void> {
    await this.#redis.zrem(keys.placementLine(tenantId, reason), sessionId);
  }
}
