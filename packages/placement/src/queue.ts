import type { Logger } from '@wafleet/runtime';
import type { RedisConnection, SessionRef } from '@wafleet/store';
import { Queue } from 'bullmq';
import { queueErrorLogger } from './queue-errors.js';

/** Hash-tagged, so that all keys of a queue stand in one slot of a Redis Cluster. */
export const QUEUE_PREFIX = '{wf-placement}';
export const PLACEMENT_QUEUE = 'placement';

/**
 * Why a session needs a worker. `create`: it is new. `restart`: it has no worker and should have. `drain`: its
 * worker stops. `crash`: its worker is dead. `rebalance`: it would be better off elsewhere.
 */
export type PlacementReason = 'create' | 'restart' | 'drain' | 'crash' | 'rebalance';

/** Lower numbers are served first: somebody waits for a new session, nobody for a rebalanced one. */
const PRIORITIES: Readonly<Record<PlacementReason, number>> = {
  create: 1,
  restart: 1,
  drain: 2,
  crash: 3,
  rebalance: 10,
};

/** A wish that a session be placed. It says why, not how: whoever serves it reads the session's state anew. */
export interface PlacementRequest extends SessionRef {
  readonly reason: PlacementReason;
  /** The owner that the session had when the request was made; a request about a later owner is void. */
  readonly expectPrevious?: string;
  /** Workers that must not get the session. */
  readonly avoid: readonly string[];
}

/** Attempts before a placement counts as failed. The session then shows a reason, and a sweep asks again. */
export const ATTEMPTS = 5;

function toJob(request: PlacementRequest) {
  return {
    name: request.reason,
    data: request,
    opts: {
      priority: PRIORITIES[request.reason],
      // A request that comes while one of the same session is being served may be about what happened since,
      // such as the death of the worker just chosen: it is kept and served next. All others are dropped.
      deduplication: { id: `${request.tenantId}/${request.sessionId}`, keepLastIfActive: true },
      attempts: ATTEMPTS,
      backoff: { type: 'exponential', delay: 500, jitter: 0.5 },
      removeOnComplete: { count: 1_000, age: 3_600 },
      removeOnFail: { count: 1_000, age: 86_400 },
    },
  };
}

/**
 * Asks for placements. A job is a decision of seconds, never a session's lifetime, and at most one per session
 * waits. Any number of processes may hold one; the connection stays the caller's to close.
 */
export class PlacementQueue {
  readonly #queue: Queue<PlacementRequest>;

  /**
   * @param options.connection with the role `queue`, or with the role `command` where the caller would rather have an
   * error than wait while Redis is out of reach.
   */
  constructor(options: { connection: RedisConnection; logger: Logger }) {
    this.#queue = new Queue(PLACEMENT_QUEUE, { connection: options.connection, prefix: QUEUE_PREFIX });
    this.#queue.on('error', queueErrorLogger(options.logger));
  }

  /** Resolves when Redis has the request. Asking again for a session whose request still waits does nothing. */
  async enqueue(request: PlacementRequest): Promise<void> {
    await this.enqueueAll([request]);
  }

  async enqueueAll(requests: readonly PlacementRequest[]): Promise<void> {
    if (requests.length === 0) return;
    await this.#queue.addBulk(requests.map(toJob));
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}
