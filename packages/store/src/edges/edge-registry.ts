import { z } from 'zod';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { jsonOf } from '../redis/unreadable-records.js';

/** How long an edge counts as running after it registered last. Register about three times as often. */
export const EDGE_LIFE_MS = 15_000;

const peerAddressSchema = z.object({
  host: z.string(),
  port: z.number().int().min(1).max(65_535),
  token: z.string().min(1),
});

const registrationSchema = z.object({ peerAddress: peerAddressSchema.optional() });

/** Where an edge takes requests from other edges, and what they have to show there. */
export type PeerAddress = z.output<typeof peerAddressSchema>;

/** What an edge tells the others of itself. Without an address it takes no requests from them. */
export type EdgeRegistration = z.output<typeof registrationSchema>;

/** The edges that run. An edge that does not register again is forgotten after 15 s. */
export class EdgeRegistry {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async register(edgeId: string, registration: EdgeRegistration): Promise<void> {
    await this.#redis.set(keys.edge(edgeId), JSON.stringify(registration), 'PX', EDGE_LIFE_MS);
  }

  /** Undefined when no edge of this id runs. */
  async find(edgeId: string): Promise<EdgeRegistration | undefined> {
    const text = await this.#redis.get(keys.edge(edgeId));
    // One of another release may have another shape.
    return text === null ? undefined : registrationSchema.safeParse(jsonOf(text)).data;
  }

  async remove(edgeId: string): Promise<void> {
    await this.#redis.del(keys.edge(edgeId));
  }
}
