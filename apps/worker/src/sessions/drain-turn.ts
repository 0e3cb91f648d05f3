import { setTimeout as delay } from 'node:timers/promises';
import type { PlacementQueue } from '@wafleet/placement';
import type { Logger } from '@wafleet/runtime';
import { DRAIN_TURN_MS, type DrainTurns, type WorkerRegistry } from '@wafleet/store';

const LOOK_MS = 250;
/** How often a turn is kept. The line may have grown meanwhile. */
const KEEP_MS = Math.min(1_000, DRAIN_TURN_MS / 3);
/** How long the answer that a placer serves the placement queue stays valid. */
const PLACERS_MS = 1_000;
/**
 * How long a worker waits if no other one runs. A supervisor that starts the next one only after its end waits as long.
 */
const ALONE_MS = 5_000;
/** The share of its time in which a drain aims to be done. */
const AIM = 0.75;
/** The time that handing over takes: at least, and for each session if logins are slow and ten are made at a time. */
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
 * When the time left is only just enough to hand them over, it drains without a turn. If no other worker runs, it waits
 * a few seconds for one, or not at all if no placer runs either, as when a whole cluster stops.
 */
export class DrainTurn {
  readonly #options: DrainTurnOptions;
  readonly #endsAt: number;
  #keeping: NodeJS.Timeout | undefined;
  #placersLookedAt = Number.NEGATIVE_INFINITY;
  #hasPlacers = false;
  #aloneFrom: number | undefined;
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(options: DrainTurnOptions) {
    this.#options = options;
    this.#endsAt = performance.now() + options.timeoutMs;
  }

  /** What is left of the drain's time, ms. */
  get timeLeftMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  /**
   * When the drain should be done, by `performance.now()`: in time for itself, and for those that wait for their turn.
   */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** How many sessions the workers have together, by their heartbeats. Rejects when Redis is out of reach. */
  async sessionsOfAll(): Promise<number> {
    return (await this.#options.workers.list()).reduce((total, { sessions }) => total + sessions, 0);
  }

  /** Resolves when this worker should hand its sessions over. Never rejects. */
  async begin(sessions: () => number): Promise<void> {
    const { logger } = this.#options;
    const waitedFrom = performance.now();
    logger.info({ sessions: sessions(), timeLeftMs: Math.round(this.timeLeftMs) }, 'the drain starts');
    const hasTurn = await this.#until(sessions, async () => {
      return (await this.#hasRoom()) && (await this.#take());
    });
    const waitedMs = Math.round(performance.now() - waitedFrom);
    logger.info({ hasTurn, waitedMs, sessions: sessions() }, 'the drain has its turn');
    this.#shorten(this.timeLeftMs);
    if (hasTurn) this.#keep();
  }

  /** Resolves when another worker has room, or when waiting for one is not worthwhile. Never rejects. */
  async untilRoom(sessions: () => number): Promise<void> {
    await this.#until(sessions, () => this.#hasRoom());
  }

  /** @param left sessions that were not handed over. */
  async end(left: number): Promise<void> {
    clearInterval(this.#keeping);
    const { worker, turns, timeoutMs, logger } = this.#options;
    logger.info({ left, tookMs: Math.round(timeoutMs - this.timeLeftMs) }, 'the drain ended');
    await turns.giveBack(worker).catch((error: unknown) => {
      logger.warn({ err: error }, 'the turn to drain could not be given back; it expires');
    });
  }

  /** Whether the condition became true before the wait had to end. */
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

  /** Whether a worker takes sessions, or a placer will place them as soon as a worker comes. */
  async #mayStillBeTaken(): Promise<boolean> {
    if ((await this.#others()).length > 0) {
      this.#aloneFrom = undefined;
      return true;
    }
    this.#aloneFrom ??= performance.now();
    if (performance.now() - this.#aloneFrom > ALONE_MS) return false;
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

  async #take(): Promise<boolean> {
    const { worker, turns } = this.#options;
    const { hasTurn, shareMs } = await turns.take(worker, { timeLeftMs: this.timeLeftMs });
    if (hasTurn) this.#shorten(shareMs);
    return hasTurn;
  }

  /** The end only ever comes nearer: a share of what is left at each look would never be used up. */
  #shorten(timeMs: number): void {
    this.#dueAt = Math.min(this.#dueAt, performance.now() + timeMs * AIM);
  }

  #keep(): void {
    const { logger } = this.#options;
    this.#keeping = setInterval(() => {
      this.#take().catch((error: unknown) => {
        logger.warn({ err: error }, 'the turn to drain could not be kept');
      });
    }, KEEP_MS);
  }
}
