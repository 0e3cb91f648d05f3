import { setTimeout as delay } from 'node:timers/promises';
import type { PlacementQueue } from '@wafleet/placement';
import type { Logger } from '@wafleet/runtime';
import { DRAIN_TURN_MS, type DrainTurns, type WorkerRegistry } from '@wafleet/store';

const LOOK_MS = 250;
/** How long it counts that somebody serves the placement queue. */
const PLACERS_MS = 1_000;
/** What handing over takes at least, and for each session when logins are slow, ten at a time. */
const TIME_NEEDED_MS = { atLeast: 5_000, eachSession: 210 };

interface DrainTurnOptions {
  readonly worker: string;
  readonly turns: DrainTurns;
  readonly workers: WorkerRegistry;
  readonly placements: PlacementQueue;
  readonly logger: Logger;
  /** How long the drain may last in all. */
  readonly timeoutMs: number;
}

/**
 * A worker's turn to drain. Until it has one, and until other workers have room, it keeps its sessions and serves them.
 * When the time that is left is only just enough to hand them over, it drains all the same. It does not wait where
 * nobody could take its sessions: no other worker runs, and no placer either, as when a whole cluster stops.
 */
export class DrainTurn {
  readonly #options: DrainTurnOptions;
  readonly #endsAt: number;
  #keeping: NodeJS.Timeout | undefined;
  #placersLookedAt = Number.NEGATIVE_INFINITY;
  #hasPlacers = false;

  constructor(options: DrainTurnOptions) {
    this.#options = options;
    this.#endsAt = performance.now() + options.timeoutMs;
  }

  /** What is left of the drain's time, ms. */
  get timeLeftMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  /** Resolves when this worker should hand its sessions over. Never rejects. */
  async begin(sessions: () => number): Promise<void> {
    const { worker, turns, logger } = this.#options;
    const waitedFrom = performance.now();
    const hasTurn = await this.#until(sessions, async () => {
      return (await this.#hasRoom()) && (await turns.take(worker, { timeLeftMs: this.timeLeftMs }));
    });
    const waitedMs = Math.round(performance.now() - waitedFrom);
    logger.info({ workerId: worker, hasTurn, waitedMs, sessions: sessions() }, 'the drain begins');
    if (hasTurn) this.#keep();
  }

  /** Resolves when another worker has room, or when waiting for one does not pay. Never rejects. */
  async untilRoom(sessions: () => number): Promise<void> {
    await this.#until(sessions, () => this.#hasRoom());
  }

  async end(): Promise<void> {
    clearInterval(this.#keeping);
    const { worker, turns, logger } = this.#options;
    await turns.giveBack(worker).catch((error: unknown) => {
      logger.warn({ err: error, workerId: worker }, 'the turn to drain could not be given back; it expires');
    });
  }

  /** Whether the condition came about before waiting had to end. */
  async #until(sessions: () => number, condition: () => Promise<boolean>): Promise<boolean> {
    const { atLeast, eachSession } = TIME_NEEDED_MS;
    while (sessions() > 0 && this.timeLeftMs > atLeast + eachSession * sessions()) {
      try {
        if (await condition()) return true;
        if (!(await this.#mayStillBeTaken())) return false;
      } catch (error) {
        this.#options.logger.warn({ err: error }, 'a drain could not ask for its turn');
      }
      await delay(LOOK_MS);
    }
    return false;
  }

  async #hasRoom(): Promise<boolean> {
    return (await this.#others()).some(({ sessions, capacity }) => sessions < capacity);
  }

  /** Whether there is somebody who takes sessions, or who places them as soon as a worker comes. */
  async #mayStillBeTaken(): Promise<boolean> {
    if ((await this.#others()).length > 0) return true;
    if (performance.now() - this.#placersLookedAt > PLACERS_MS) {
      this.#placersLookedAt = performance.now();
      this.#hasPlacers = await this.#options.placements.isServed();
    }
    return this.#hasPlacers;
  }

  async #others() {
    const listed = await this.#options.workers.list();
    return listed.filter(({ id, draining }) => id !== this.#options.worker && !draining);
  }

  #keep(): void {
    const { worker, turns, logger } = this.#options;
    this.#keeping = setInterval(() => {
      turns.take(worker, { timeLeftMs: this.timeLeftMs }).catch((error: unknown) => {
        logger.warn({ err: error, workerId: worker }, 'the turn to drain could not be kept');
      });
    }, DRAIN_TURN_MS / 3);
  }
}
