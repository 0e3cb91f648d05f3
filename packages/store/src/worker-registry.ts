import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { RedisConnection } from './connection.js';
import { INBOX_LIFE_MS } from './inbox-limits.js';
import { keys } from './keyspace.js';
import { asList, asNumber, asText } from './reply.js';
import { Script } from './script.js';

/** How long a worker incarnation counts as alive after its last renewal. Renew about five times as often. */
export const LEASE_MS = 15_000;

const heartbeatSchema = z.object({
  id: z.string(),
  host: z.string(),
  release: z.string(),
  capacity: z.number(),
  sessions: z.number(),
  draining: z.boolean(),
  at: z.number(),
});

/** What a worker tells of itself, about once a second. */
export interface WorkerHeartbeat {
  /** The worker incarnation: a new one each time a worker's process starts or has lost its lease. */
  readonly id: string;
  readonly host: string;
  readonly release: string;
  /** How many sessions it takes. */
  readonly capacity: number;
  /** How many sessions it has. */
  readonly sessions: number;
  /** It hands its sessions over and takes no more. */
  readonly draining: boolean;
  /** When Redis received it, ms since 1970 by the clock of Redis. */
  readonly at: number;
}

/** A heartbeat with its age, which is measured by the clock of Redis alone. */
export interface WorkerState extends WorkerHeartbeat {
  readonly ageMs: number;
}

const acquireLease = new Script('acquire-lease', asNumber);
const renewLease = new Script('renew-lease', asNumber);
const beat = new Script('beat', asNumber);
const listHeartbeats = new Script('list-heartbeats', (reply) => {
  const [now, beats] = asList(reply);
  return {
    now: asNumber(now),
    // One of another release may have another shape; it must not hide those that can be read.
    heartbeats: asList(beats)
      .map((text) => heartbeatSchema.safeParse(JSON.parse(asText(text))).data)
      .filter((heartbeat) => heartbeat !== undefined),
  };
});

/**
 * Who is alive. A worker incarnation holds a lease in Redis; one whose lease ran out is dead for ever, even if its
 * process still runs. Only a lease that Redis says is gone is lost: an error to reach Redis tells nothing.
 */
export class WorkerRegistry {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Takes the lease of a new incarnation; false when that id is in use. */
  async acquireLease(workerId: string): Promise<boolean> {
    return (await acquireLease.run(this.#redis, [keys.lease(workerId)], [randomUUID(), LEASE_MS])) === 1;
  }

  /** Prolongs the lease. Rejects when Redis is out of reach, which is no loss of the lease. */
  async renewLease(workerId: string): Promise<'renewed' | 'lost'> {
    const renewed = await renewLease.run(
      this.#redis,
      [keys.lease(workerId), keys.inbox(workerId)],
      [LEASE_MS, INBOX_LIFE_MS],
    );
    return renewed === 1 ? 'renewed' : 'lost';
  }

  /** Ends the incarnation: its lease, heartbeat and inbox go. */
  async releaseLease(workerId: string): Promise<void> {
    await this.#redis.del(keys.lease(workerId), keys.inbox(workerId));
    await this.#redis.hdel(keys.heartbeats, workerId);
  }

  /** Stores a heartbeat; without effect when the lease ran out. */
  async beat(heartbeat: Omit<WorkerHeartbeat, 'at'>): Promise<void> {
    await beat.run(
      this.#redis,
      [keys.lease(heartbeat.id), keys.heartbeats],
      [heartbeat.id, JSON.stringify(heartbeat)],
    );
  }

  /** The heartbeats of the workers whose lease lives, as far as this release can read them. Removes dead ones'. */
  async list(): Promise<WorkerState[]> {
    const { now, heartbeats } = await listHeartbeats.run(this.#redis, [keys.heartbeats], []);
    const alive = await this.aliveIds(heartbeats.map(({ id }) => id));
    const dead = heartbeats.filter(({ id }) => !alive.has(id)).map(({ id }) => id);
    if (dead.length > 0) await this.#redis.hdel(keys.heartbeats, ...dead);
    return heartbeats
      .filter(({ id }) => alive.has(id))
      .map((heartbeat) => ({ ...heartbeat, ageMs: Math.max(0, now - heartbeat.at) }));
  }

  /** Those of the given incarnations whose lease lives. */
  async aliveIds(workerIds: readonly string[]): Promise<Set<string>> {
    const ids = [...new Set(workerIds)];
    if (ids.length === 0) return new Set();
    const leases = await this.#redis.mget(ids.map((id) => keys.lease(id)));
    return new Set(ids.filter((_, index) => leases[index] !== null));
  }
}
