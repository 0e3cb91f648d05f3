import { randomUUID } from 'node:crypto';
import type { Logger } from '@wafleet/runtime';
import { z } from 'zod';
import { INBOX_LIFE_MS } from '../commands/inbox-limits.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { SessionRef } from '../redis/session-ref.js';
import { jsonOf, UnreadableRecords } from '../redis/unreadable-records.js';

/** How long a worker incarnation counts as alive after its last renewal. Renew about five times within it. */
export const LEASE_MS = 15_000;

/** What a worker can do that those of earlier releases cannot. `proxies`: it never connects without a session's proxy. */
export const WORKER_FEATURES = ['proxies'] as const;

export type WorkerFeature = (typeof WORKER_FEATURES)[number];

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
  clientVersions: z.record(z.string(), z.number()).optional(),
  features: z.array(z.string()).optional(),
  at: z.number(),
});

/** What a worker reports about itself, every 2 s. */
export interface WorkerHeartbeat {
  /** The worker incarnation. It is a new one each time a worker's process starts or has lost its lease. */
  readonly id: string;
  readonly host: string;
  readonly release: string;
  /** Maximum number of sessions. */
  readonly capacity: number;
  /** Current number of sessions. */
  readonly sessions: number;
  /** Whether it hands its sessions over and accepts no more. */
  readonly draining: boolean;
  /** A few of its open sessions, longest idle first. */
  readonly idlest: readonly SessionRef[];
  /** The token of its lifeline, while that is open. */
  readonly lifeline?: string | undefined;
  /** How many of its open sessions report each version of WhatsApp Web. */
  readonly clientVersions?: Readonly<Record<string, number>> | undefined;
  /** What it can do, see WORKER_FEATURES. Absent in the heartbeats of earlier releases. */
  readonly features?: readonly string[] | undefined;
  /** When Redis received it, ms since 1970 by the clock of Redis. */
  readonly at: number;
}

/** A heartbeat with its age, which is measured only by the clock of Redis. */
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
 * Knows which workers are alive. A worker incarnation holds a lease in Redis. If its lease expired, the incarnation is
 * dead permanently, even if its process still runs. A lease is lost only if Redis answers that it is gone; an error to
 * reach Redis does not mean that.
 *
 * During an outage of Redis every lease expires although no worker died. Workers and placers therefore leave a pulse:
 * the time of Redis at which one of them last wrote. If all of them were silent for more than 6 s, Redis was away for
 * all of them (or none of them ran). For the next 8 s, in which the workers take their leases again, every worker then
 * counts as alive. If only one worker was silent, the pulse of the others continued, and its lease decides.
 *
 * Taking a lease again is safe even if other processes treated the worker as dead meanwhile: the sessions' owner
 * records decide what a worker may write, and claims change these records, not leases. After an outage of Redis a
 * worker takes its lease again, then checks the owner record of each of its sessions, and discards the sessions that
 * have another owner.
 */
export class WorkerRegistry {
  readonly #redis: RedisConnection;
  readonly #unreadable: UnreadableRecords;

  /** @param options.logger logs the names of unreadable heartbeats, each once in five minutes. */
  constructor(redis: RedisConnection, options: { logger?: Logger } = {}) {
    this.#redis = redis;
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /**
   * Takes the lease of a new incarnation. Returns false if that id is in use, or if a living incarnation has the same
   * identity.
   * @param identity No two living workers may share it. Default: the incarnation's id.
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

  /** Returns how long an identity remains taken unless its holder renews it, ms. 0 if it is free. */
  async identityHeldForMs(identity: string): Promise<number> {
    return Math.max(0, await this.#redis.pttl(keys.identity(identity)));
  }

  /** Renews the lease. Rejects if Redis is out of reach, which does not mean that the lease is lost. */
  async renewLease(workerId: string, identity = workerId): Promise<'renewed' | 'lost'> {
    const renewed = await renewLease.run(
      this.#redis,
      [keys.lease(workerId), keys.identity(identity), keys.inbox(workerId)],
      [LEASE_MS, INBOX_LIFE_MS, workerId],
    );
    return renewed === 1 ? 'renewed' : 'lost';
  }

  /** Ends the incarnation: deletes its lease, identity, heartbeat and inbox. */
  async releaseLease(workerId: string, identity = workerId): Promise<void> {
    await this.#redis.del(keys.lease(workerId), keys.identity(identity), keys.inbox(workerId));
    await this.#redis.hdel(keys.heartbeats, workerId);
  }

  /** Stores a heartbeat. Does nothing if the lease has expired. */
  async beat(heartbeat: Omit<WorkerHeartbeat, 'at'>): Promise<void> {
    await beat.run(
      this.#redis,
      [keys.lease(heartbeat.id), keys.heartbeats, keys.pulse],
      [heartbeat.id, JSON.stringify(heartbeat)],
    );
  }

  /** Returns the readable heartbeats of the workers that have a lease. Removes those of dead workers. */
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

  /** Whether all living workers have a feature. One whose heartbeat cannot be read does not count as having it. */
  async haveAll(feature: WorkerFeature): Promise<boolean> {
    const { heartbeats } = await listHeartbeats.run(this.#redis, [keys.heartbeats], []);
    const without = heartbeats.filter(({ heartbeat }) => heartbeat?.features?.includes(feature) !== true);
    return (await this.aliveIds(without.map(({ id }) => id))).size === 0;
  }

  /** Whether a worker is handing its sessions over to others. */
  async isDraining(workerId: string): Promise<boolean> {
    const text = await this.#redis.hget(keys.heartbeats, workerId);
    return text !== null && readHeartbeat(workerId, text)?.draining === true;
  }

  /**
   * Returns those of the given incarnations that count as alive: those with a lease, or all while the cluster settles.
   */
  async aliveIds(workerIds: readonly string[]): Promise<Set<string>> {
    const ids = [...new Set(workerIds)];
    if (ids.length === 0) return new Set();
    const [, ...alive] = await this.#lookAt(ids);
    return new Set(ids.filter((_, index) => alive[index]));
  }

  /** Whether Redis has come back so recently that no worker counts as dead. */
  async isSettling(): Promise<boolean> {
    const [isSettling] = await this.#lookAt([]);
    return isSettling === true;
  }

  #lookAt(workerIds: readonly string[]): Promise<boolean[]> {
    return aliveWorkers.run(this.#redis, [keys.pulse, ...workerIds.map((id) => keys.lease(id))], []);
  }
}
