import type { Logger } from '@wafleet/runtime';
import type {
  Ownership,
  RedisConnection,
  SessionDirectory,
  SessionIndex,
  WorkerFailureDetector,
  WorkerRegistry,
} from '@wafleet/store';
import { type Job, Queue, Worker } from 'bullmq';
import { closeWorker } from './close-worker.js';
import { paceErrors } from './pace-errors.js';
import { type PlacementQueue, QUEUE_PREFIX } from './queue.js';
import { queueErrorLogger } from './queue-errors.js';
import { Rebalancer } from './rebalancer.js';
import { Reconciler } from './reconciler.js';
import { WorkerWatch } from './worker-watch.js';

const SWEEP_QUEUE = 'placement-sweeps';

/** How long schedules stay lost at most, after Redis lost them or a placer died while it took a sweep. */
const RESCHEDULE_MS = 30_000;
/** A sweep that is due later than this after its interval was dated by a clock that is ahead of this process' clock. */
const CLOCKS_DIFFER_MS = 5_000;

const SWEEPS = ['watch-workers', 'reconcile', 'rebalance'] as const;
type Sweep = (typeof SWEEPS)[number];

export interface SweepsOptions {
  /** Has the role `queue`. The caller closes it, after `stop`. */
  readonly connection: RedisConnection;
  readonly sessions: SessionDirectory;
  readonly ownership: Ownership;
  readonly index: SessionIndex;
  readonly workers: WorkerRegistry;
  readonly deaths: WorkerFailureDetector;
  /** The caller closes it, after `stop`. */
  readonly placements: PlacementQueue;
  readonly logger: Logger;
  /** Milliseconds between two sweeps of a kind, over all placers; 0 for none. */
  readonly every: Readonly<Record<Sweep, number>>;
}

/**
 * Three recurring jobs, each served by any placer that is free. `watch-workers` finds the sessions of workers that died
 * or are stopping. `reconcile` finds sessions that were missed for any reason. `rebalance` evens out the loads of
 * workers.
 */
export class Sweeps {
  readonly #options: SweepsOptions;
  readonly #queue: Queue;
  readonly #reconciler: Reconciler;
  readonly #rebalancer: Rebalancer;
  readonly #watch: WorkerWatch;
  #worker: Worker | undefined;
  #rescheduling: NodeJS.Timeout | undefined;

  constructor(options: SweepsOptions) {
    const { connection, sessions, ownership, index, workers, deaths, placements, logger } = options;
    this.#options = options;
    this.#reconciler = new Reconciler({ sessions, ownership, index, workers, queue: placements });
    this.#watch = new WorkerWatch({ workers, deaths, logger });
    this.#rebalancer = new Rebalancer({ workers, queue: placements });
    this.#queue = new Queue(SWEEP_QUEUE, { connection, prefix: QUEUE_PREFIX });
    this.#queue.on('error', queueErrorLogger(logger));
  }

  /** Resolves when the sweeps are scheduled and this process takes its share. */
  async start(): Promise<void> {
    const { connection, logger } = this.#options;
    await this.#reschedule();
    this.#rescheduling = setInterval(() => {
      this.#reschedule().catch((error: unknown) => logger.error({ err: error }, 'could not schedule sweeps'));
    }, RESCHEDULE_MS);

    this.#worker = new Worker(SWEEP_QUEUE, (job) => this.#sweep(job), {
      connection,
      prefix: QUEUE_PREFIX,
      // One at a time in a process: a search that began before a death may have passed the sessions by.
      concurrency: 1,
      lockDuration: 10_000,
      stalledInterval: 5_000,
    });
    this.#worker.on('error', queueErrorLogger(logger));
    paceErrors(this.#worker, { connection, logger });
    this.#worker.on('failed', (job, error) =>
      logger.error({ sweep: job?.name, err: error }, 'a sweep failed'),
    );
    await this.#worker.waitUntilReady();
  }

  /** Takes no further sweep, and resolves when the one at work is done. Other placers go on. */
  async stop(): Promise<void> {
    clearInterval(this.#rescheduling);
    if (this.#worker !== undefined) await closeWorker(this.#worker, this.#options.connection);
    await this.#queue.close();
  }

  /**
   * BullMQ uses the clock of the process: a sweep scheduled by a process with a clock ahead would be due much too late.
   */
  async #reschedule(): Promise<void> {
    await this.#schedule();
    await this.#options.placements.promoteMisdated();
  }

  async #schedule(): Promise<void> {
    for (const name of SWEEPS) {
      const every = this.#options.every[name];
      if (every === 0) {
        await this.#queue.removeJobScheduler(name);
        continue;
      }
      const scheduled = await this.#queue.getJobScheduler(name);
      // Otherwise the new schedule would begin when the old one is due.
      if ((scheduled?.next ?? 0) > Date.now() + every + CLOCKS_DIFFER_MS) {
        await this.#queue.removeJobScheduler(name);
      }
      await this.#queue.upsertJobScheduler(
        name,
        { every },
        { name, opts: { removeOnComplete: { count: 10 }, removeOnFail: { count: 100 } } },
      );
    }
  }

  async #sweep(job: Job): Promise<void> {
    const reported = async (search: Promise<number>) => {
      const asked = await search;
      if (asked > 0)
        this.#options.logger.info({ sessions: asked, sweep: job.name }, 'sessions need a worker');
    };
    switch (job.name) {
      case 'reconcile':
        return reported(this.#reconciler.reconcile());
      case 'rebalance':
        return this.#rebalance();
      default:
        return this.#watch.look({
          all: () => reported(this.#reconciler.reconcileAll()),
          ofDead: () => reported(this.#reconciler.afterDeath()),
          hurry: (room) => this.#options.placements.hurry(room),
        });
    }
  }

  async #rebalance(): Promise<void> {
    const moves = await this.#rebalancer.rebalance();
    if (moves > 0) this.#options.logger.info({ sessions: moves }, 'sessions move to a worker with fewer');
  }
}
