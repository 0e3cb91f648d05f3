import { randomUUID } from 'node:crypto';
import type { Logger } from '@wafleet/runtime';
import { z } from 'zod';
import { INBOX_LIFE_MS } from '../commands/inbox-limits.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import { jsonOf, UnreadableRecords } from '../redis/unreadable-records.js';
import type { SessionRef } from '../sessions/session-ref.js';

/** How long a worker incarnation counts as alive after its last renewal. Renew about five times as often. */
export const LEASE_MS = 15_000;

const sessionRefSchema = z.object({ tenantId: z.string(), sessionId: z.string() });

const heartbeatSchema = z.object({
  id: z.string(),
  host: z.string(),
  release: z.string(),
  capacity: z.number().positive(),
  sessions: z.number().min(0),
  draining: z.boolean(),
  idlest: z.array(sessionRefSchema).default([]),
  lifeline: z.string().optional(),
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
  /** A few of its open sessions, those first that were idle the longest. */
  readonly idlest: readonly SessionRef[];
  /** The token of its lifeline, while that is open. */
  readonly lifeline?: string | undefined;
  /** When Redis received it, ms since 1970 by the clock of Redis. */
  readonly at: number;
}

/** A heartbeat with its age, which is measured by the clock of Redis alone. */
export interface WorkerState extends WorkerHeartbeat {
  readonly ageMs: number;
}

const acquireLease = new Script('workers/acquire-lease', asNumber);
const renewLease = new Script('workers/renew-lease', asNumber);
const beat = new Script('workers/beat', asNumber);
const aliveWorkers = new Script('workers/alive-workers', (reply) =>
  asList(reply).map((flag) => asNumber(flag) === 1),
);
const listHeartbeats = new Script('workers/list-heartbeats', (reply) => {
  const [now, beats] = asList(reply);
  const texts = asList(beats).map(asText);
  return {
    now: asNumber(now),
    // A heartbeat of another release may have another shape; it must not hide those that can be read.
    heartbeats: Array.from({ length: texts.length / 2 }, (_, index) => ({
      id: texts[2 * index] ?? '',
      heartbeat: readHeartbeat(texts[2 * index] ?? '', texts[2 * index + 1] ?? ''),
    })),
  };
});

function readHeartbeat(id: string, text: string): WorkerHeartbeat | undefined {
  const { data } = heartbeatSchema.safeParse(jsonOf(text));
  return data?.id === id ? data : undefined;
}

/**
 * Who is alive. A worker incarnation holds a lease in Redis; one whose lease ran out is dead for ever, even if its
 * process still runs. Only a lease that Redis says is gone is lost: an error to reach Redis tells nothing.
 *
 * A Redis that was away lets every lease run out, though nobody died. Workers and placers therefore leave a pulse, the
 * time of Redis at which one of them wrote last. Where all were silent for more than 6 s, Redis was away, for all
 * of them (or none of them ran), and for the next 8 s, in which the workers take their leases again, every worker
 * counts as alive. Where only one was silent the others' pulse went on, and its lease decides.
 *
 * Taking a lease again is safe, whatever others were told meanwhile: what a worker may write is decided by the
 * sessions' owner records, which a claim changes and a lease does not. So a worker for which Redis was away takes its
 * lease again, then looks at the owner record of each of its sessions, and discards those that name another owner.
 */
export class WorkerRegistry {
  readonly #redis: RedisConnection;
  readonly #unreadable: UnreadableRecords;

  /** @param options.logger names the heartbeats that cannot be read, each once in a while. */
  constructor(redis: RedisConnection, options: { logger?: Logger } = {}) {
    this.#redis = redis;
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /**
   * Takes the lease of a new incarnation; false when that id is in use, or when a living incarnation has the same
   * identity.
   * @param identity what no two workers may share at the same time; default: the incarnation's id.
   */
  async acquireLease(workerId: string, identity = workerId): Promise<boolean> {
    const identityKey = keys.identity(identity);
    const holder = await this.#redis.get(identityKey);
    const acquired = await acquireLease.run(
      this.#redis,
      [keys.lease(workerId), identityKey, keys.lease(holder ?? workerId)],
      [randomUUID(), LEASE_MS, workerId, holder ?? ''],
    );
    return acquired === 1;
  }

  /** How long an identity is still held unless its holder renews it, ms; 0 when nobody holds it. */
  async identityHeldForMs(identity: string): Promise<number> {
    return Math.max(0, await this.#redis.pttl(keys.identity(identity)));
  }

  /** Prolongs the lease. Rejects when Redis is out of reach, which is no loss of the lease. */
  async renewLease(workerId: string, identity = workerId): Promise<'renewed' | 'lost'> {
    const renewed = await renewLease.run(
      this.#redis,
      [keys.lease(workerId), keys.identity(identity), keys.inbox(workerId)],
      [LEASE_MS, INBOX_LIFE_MS, workerId],
    );
    return renewed === 1 ? 'renewed' : 'lost';
  }

  /** Ends the incarnation: its lease, identity, heartbeat and inbox go. */
  async releaseLease(workerId: string, identity = workerId): Promise<void> {
    await this.#redis.del(keys.lease(workerId), keys.identity(identity), keys.inbox(workerId));
    await this.#redis.hdel(keys.heartbeats, workerId);
  }

  /** Stores a heartbeat; without effect when the lease ran out. */
  async beat(heartbeat: Omit<WorkerHeartbeat, 'at'>): Promise<void> {
    await beat.run(
      this.#redis,
      [keys.lease(heartbeat.id), keys.heartbeats, keys.pulse],
      [heartbeat.id, JSON.stringify(heartbeat)],
    );
  }

  /** The heartbeats of the workers whose lease lives, as far as this release can read them. Removes dead ones'. */
  async list(): Promise<WorkerState[]> {
    const { now, heartbeats } = await listHeartbeats.run(this.#redis, [keys.heartbeats], []);
    const alive = await this.aliveIds(heartbeats.map(({ id }) => id));
    const dead = heartbeats.filter(({ id }) => !alive.has(id)).map(({ id }) => id);
    if (dead.length > 0) await this.#redis.hdel(keys.heartbeats, ...dead);
    return heartbeats.flatMap(({ id, heartbeat }) => {
      if (!alive.has(id)) return [];
      if (heartbeat !== undefined) return [{ ...heartbeat, ageMs: Math.max(0, now - heartbeat.at) }];
      this.#unreadable.report({ kind: 'heartbeat', name: id, workerId: id });
      return [];
    });
  }

  /** Whether a worker is handing its sessions over to others. */
  async isDraining(workerId: string): Promise<boolean> {
    const text = await this.#redis.hget(keys.heartbeats, workerId);
    return text !== null && readHeartbeat(workerId, text)?.draining === true;
  }

  /** Those of the given incarnations that count as alive: whose lease lives, or all while the cluster settles. */
  async aliveIds(workerIds: readonly string[]): Promise<Set<string>> {
    const ids = [...new Set(workerIds)];
    if (ids.length === 0) return new Set();
    const [, ...alive] = await this.#lookAt(ids);
    return new Set(ids.filter((_, index) => alive[index]));
  }

  /** Whether Redis has come back so lately that nobody counts as dead. */
  async isSettling(): Promise<boolean> {
    const [isSettling] = await this.#lookAt([]);
    return isSettling === true;
  }

  #lookAt(workerIds: readonly string[]): Promise<boolean[]> {
    return aliveWorkers.run(this.#redis, [keys.pulse, ...workerIds.map((id) => keys.lease(id))], []);
  }
}
