import { z } from 'zod';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { jsonOf } from '../redis/unreadable-records.js';

/** How long an edge counts as running after its last registration. Register about three times within it. */
export const EDGE_LIFE_MS = 15_000;

const peerAddressSchema = z.object({
  host: z.string(),
  port: z.number().int().min(1).max(65_535),
  token: z.string().min(1),
});

const registrationSchema = z.object({ peerAddress: peerAddressSchema.optional() });

/** Where an edge accepts requests from other edges, and the credential they must present. */
export type PeerAddress = z.output<typeof peerAddressSchema>;

/** What an edge publishes about itself. Without an address it accepts no requests from other edges. */
export type EdgeRegistration = z.output<typeof registrationSchema>;

/** The running edges. An edge that does not register again is forgotten after 15 s. */
export class EdgeRegistry {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async register(edgeId: string, registration: EdgeRegistration): Promise<void> {
    await this.#redis.set(keys.edge(edgeId), JSON.stringify(registration), 'PX', EDGE_LIFE_MS);
  }

  /** Returns undefined if no edge with this id runs. */
  async find(edgeId: string): Promise<EdgeRegistration | undefined> {
    const text = await this.#redis.get(keys.edge(edgeId));
    // The registration of another release may have another shape.
    return text === null ? undefined : registrationSchema.safeParse(jsonOf(text)).data;
  }

  async remove(edgeId: string): Promise<void> {
    await this.#redis.del(keys.edge(edgeId));
  }
}
