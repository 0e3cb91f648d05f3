import { PlacementQueue } from '@wafleet/placement';
import { type Logger, withTimeout } from '@wafleet/runtime';
import {
  DrainTurns,
  NotOwnerError,
  type RedisConnection,
  type SessionDirectory,
  type SessionRef,
  WorkerRegistry,
} from '@wafleet/store';
import { withAdaptiveConcurrency } from './adaptive-concurrency.js';
import { DrainTimeoutError } from './drain-timeout-error.js';
import { DrainTurn } from './drain-turn.js';
import { HandOver } from './handover.js';
import type { SessionLog } from './session-log.js';
import type { SessionTable } from './session-table.js';

/**
 * The number of sessions that are handed over at the same time: one in 25 of all workers' sessions, from two to ten. It
 * is lower if logins take the other workers long, since sessions that log in together are each away for as long as all
 * of them take.
 */
const DRAIN_PACE = { atMost: 10, quickMs: 700, slowMs: 1_400 };
const DRAIN_SHARE = { of: 25, atLeast: 2 };

interface SessionDrainOptions {
  readonly redis: RedisConnection;
  readonly worker: string;
  readonly timeoutMs: number;
  readonly directory: SessionDirectory;
  readonly log: SessionLog;
  readonly logger: Logger;
  readonly table: SessionTable;
  /** Ends a session so that another worker can take it. */
  readonly release: (ref: SessionRef) => Promise<void>;
  /** Closes the sessions that are left. */
  readonly discardAll: () => void;
}

/** Hands all sessions of a worker over, when it is the worker's turn. The worker must take no more sessions. */
export class SessionDrain {
  readonly #options: SessionDrainOptions;
  readonly #placements: PlacementQueue;
  readonly #turn: DrainTurn;

  constructor(options: SessionDrainOptions) {
    const { redis, worker, timeoutMs, logger } = options;
    this.#options = options;
    this.#placements = new PlacementQueue({ connection: redis, logger });
    this.#turn = new DrainTurn({
      ...{ worker, placements: this.#placements, timeoutMs, logger },
      turns: new DrainTurns(redis),
      workers: new WorkerRegistry(redis),
    });
  }

  /** Call it once. @throws {DrainTimeoutError} after the sessions that were not handed over in time are closed. */
  async run(): Promise<void> {
    const { timeoutMs, table, discardAll } = this.#options;
    let left = 0;
    try {
      if (await withTimeout(this.#handAllOver(), timeoutMs)) {
        left = table.all().length;
        return;
      }
      const fences = table.all().map(({ fence }) => fence);
      left = fences.length;
      discardAll();
      // All are released, and some are not taken yet.
      if (left === 0) return;
      throw new DrainTimeoutError(timeoutMs, fences);
    } finally {
      await this.#turn.end(left);
      await this.#placements.close();
    }
  }

  async #handAllOver(): Promise<void> {
    const { redis, worker, directory, log, logger, table, release } = this.#options;
    const turn = this.#turn;
    await table.claimsSettled();
    const left = () => table.all().length;
    await turn.begin(left);
    const handOver = new HandOver({
      ...{ worker, placements: this.#placements, log, logger },
      sessions: directory,
      workers: new WorkerRegistry(redis),
    });
    const byActivity = table.all().sort((a, b) => a.session.lastActiveAt - b.session.lastActiveAt);
    const inAll = await turn.sessionsOfAll().catch(() => 0);
    const share = Math.max(DRAIN_SHARE.atLeast, Math.floor(inAll / DRAIN_SHARE.of));
    const pace = { ...DRAIN_PACE, usually: Math.min(DRAIN_PACE.atMost, share), dueAt: () => turn.dueAt };
    await withAdaptiveConcurrency(byActivity, pace, async (each) => {
      const { fence } = each;
      await turn.untilRoom(left);
      // It may have ended, or left, meanwhile.
      if (!table.isStaying(each)) return;
      try {
        await release(fence);
        await handOver.pass(fence);
      } catch (error) {
        if (error instanceof NotOwnerError) return;
        logger.error(
          { err: error, tenantId: fence.tenantId, sessionId: fence.sessionId },
          'a session could not be handed over',
        );
      }
    });
  }
}
