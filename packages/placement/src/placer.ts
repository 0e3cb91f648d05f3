import { backoff, type Logger } from '@wafleet/runtime';
import {
  type CommandClient,
  PlacementRanks,
  type RedisConnection,
  type SessionDirectory,
  type WorkerRegistry,
} from '@wafleet/store';
import { DelayedError, type Job, Worker } from 'bullmq';
import { closeWorker } from './close-worker.js';
import { paceErrors } from './pace-errors.js';
import { type PlacementOutcome, type PlacementResources, placeSession } from './place-session.js';
import { type PlacementRequest, readRequest } from './placement-request.js';
import { ATTEMPTS, PLACEMENT_QUEUE, QUEUE_PREFIX } from './queue.js';
import { queueErrorLogger } from './queue-errors.js';
import { RecentAssignments } from './recent-assignments.js';

const CONCURRENT_PLACEMENTS = 20;
/** Drawn from the upper half, so that sessions that began to wait together spread out. */
const roomWaitMs = backoff({ baseMs: 1_000, capMs: 60_000, jitter: 0.5 });

export interface PlacerOptions {
  /** Has the role `queue`. The caller closes it, after `stop`. */
  readonly connection: RedisConnection;
  readonly sessions: SessionDirectory;
  readonly workers: WorkerRegistry;
  /** Already started. The caller stops it after the placer. */
  readonly commands: CommandClient;
  readonly logger: Logger;
  /** The limit on reconnect storms: the maximum number of placements that all placers together begin per second. */
  readonly placementsPerSecond: number;
}

/**
 * Serves the placement queue. Any number of placers may run, and none leads.
 *
 * Tenants take turns (see policies/priority.ts). Each request ends in a session that a worker has claimed, or in a
 * reason on a session that stays `queued`. A request that finds no room waits and is tried again without limit. A
 * request whose workers all fail is retried with back-off, then given up until the next sweep asks again.
 */
export class Placer {
  readonly #options: PlacerOptions;
  readonly #resources: Omit<PlacementResources, 'mayTakeRoom'>;
  readonly #lines: PlacementRanks;
  #worker: Worker<PlacementRequest, PlacementOutcome> | undefined;

  constructor(options: PlacerOptions) {
    const { sessions, workers, commands, logger } = options;
    this.#options = options;
    this.#lines = new PlacementRanks(options.connection);
    this.#resources = {
      sessions,
      workers,
      commands,
      logger,
      recent: new RecentAssignments(),
      random: Math.random,
    };
  }

  /** Resolves when it takes requests. */
  async start(): Promise<void> {
    const { connection, placementsPerSecond, logger } = this.#options;
    const worker = new Worker<PlacementRequest, PlacementOutcome>(
      PLACEMENT_QUEUE,
      (job, token) => this.#serve(job, token),
      {
        connection,
        prefix: QUEUE_PREFIX,
        concurrency: CONCURRENT_PLACEMENTS,
        limiter: { max: placementsPerSecond, duration: 1_000 },
        // If a placer is killed, the others get its requests after this time.
        lockDuration: 10_000,
        stalledInterval: 5_000,
        // Dying placers must not use a request up. The number of attempts bounds it.
        maxStalledCount: 1_000,
      },
    );
    worker.on('error', queueErrorLogger(logger));
    paceErrors(worker, { connection, logger });
    worker.on('failed', (job, error) => {
      if (job === undefined || job.attemptsMade < ATTEMPTS) return;
      const { tenantId, sessionId } = readRequest(job.data) ?? {};
      logger.error({ tenantId, sessionId, err: error }, 'a placement failed; a sweep will ask for it again');
    });
    this.#worker = worker;
    await worker.waitUntilReady();
  }

  /** Takes no further request and resolves when those at work are done. */
  async stop(): Promise<void> {
    if (this.#worker !== undefined) await closeWorker(this.#worker, this.#options.connection);
  }

  async #serve(job: Job<PlacementRequest>, token: string | undefined): Promise<PlacementOutcome> {
    const { logger } = this.#options;
    const request = readRequest(job.data);
    if (request === undefined) {
      logger.error({ jobId: job.id }, 'dropped a placement request that cannot be read');
      return { unneeded: 'the request cannot be read' };
    }
    const { tenantId, sessionId, reason } = request;
    // From now on it is ahead of no other request: a request that is tried again is not in the line.
    await this.#lines.leave(request, reason);
    const outcome = await placeSession(request, {
      ...this.#resources,
      mayTakeRoom: () => this.#mayTakeRoom(job, request),
    });
    if ('waits' in outcome) {
      logger.debug({ tenantId, sessionId, reason: outcome.waits }, 'a placement waits');
      await job.moveToDelayed(Date.now() + waitMs(job), token);
      throw new DelayedError();
    }
    logger.debug({ tenantId, sessionId, reason, outcome }, 'a placement is done');
    return outcome;
  }

  /**
   * A request that waited and comes due by itself leaves the room to those whose turn it is, unless no other request
   * waits.
   */
  async #mayTakeRoom(job: Job<PlacementRequest>, request: PlacementRequest): Promise<boolean> {
    const hasWaited = job.attemptsStarted > 1 && job.attemptsMade === 0;
    if (!hasWaited || request.turn === job.attemptsStarted) return true;
    const delayed = this.#worker?.toKey('delayed') ?? '';
    return (await this.#options.connection.zcard(delayed)) === 0;
  }
}

/** How long a request waits for room, longer each time. */
function waitMs(job: Job): number {
  const earlierWaits = Math.max(0, job.attemptsStarted - job.attemptsMade - 1);
  return roomWaitMs(earlierWaits);
}
