import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { SessionRef } from '../redis/session-ref.js';

/** How long an entry counts if it is not removed, because the process that took the session died. */
const FORGOTTEN_AFTER_MS = 600_000;

const joinLine = new Script('placement/join-line', (reply) => asList(reply).map(asNumber));

/**
 * Counts for each tenant and reason the sessions that wait for a placement. A queue needs these numbers to serve
 * tenants in turn. They are correct if every process that takes a session off the queue calls `leave`. An entry that
 * was not removed makes its tenant wait a little longer while others wait, for at most ten minutes.
 */
export class PlacementRanks {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Enters sessions of one tenant. Resolves to the place of each among those that wait: 1 for the first. */
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
