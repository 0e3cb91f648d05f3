import { watchEventLoop } from '@wafleet/runtime';

/** How often the load of the process is measured, ms. */
const PERIOD_MS = 100;
/** The share of its time from which on the process counts as busy. New work then waits for running work. */
const BUSY = 0.7;
/** The limit after a quiet time, when the load of the work is not known yet. */
const FIRST = 4;
/** A quiet time: this long without such work, ms. */
const QUIET_MS = 1_000;

interface BusyLimitOptions {
  /** The limit while the process is not busy. */
  readonly most: number;
  /** The current time, ms. Default: the process's clock. */
  readonly now?: () => number;
  /**
   * The share of the time since the last call, 0 to 1, in which the process worked. Default: that of its event loop.
   */
  readonly utilization?: () => number;
}

/**
 * Limits how many pieces of work of one kind run at a time, so that the process has time for other work. The limit is
 * halved after each tenth of a second in which the process was busy, down to 1, and raised by one after each in which
 * it was not. After a quiet time it begins with 4 and is doubled until the process is busy for the first time. These
 * are TCP's additive increase, multiplicative decrease and slow start.
 */
export class BusyLimit {
  readonly #most: number;
  readonly #now: () => number;
  readonly #utilization: () => number;
  #limit: number;
  #isStarting = true;
  #lookedAt: number;

  constructor({ most, now = () => performance.now(), utilization = watchEventLoop() }: BusyLimitOptions) {
    this.#most = most;
    this.#now = now;
    this.#utilization = utilization;
    this.#limit = Math.min(FIRST, most);
    this.#lookedAt = now();
  }

  /** Returns the current limit, at least 1. Call it while there is such work. */
  now(): number {
    const passedMs = this.#now() - this.#lookedAt;
    if (passedMs >= PERIOD_MS) {
      this.#lookedAt = this.#now();
      const isBusy = this.#utilization() >= BUSY;
      if (passedMs >= QUIET_MS) this.#begin();
      else if (isBusy) this.#shrink();
      else this.#grow(Math.floor(passedMs / PERIOD_MS));
    }
    return this.#limit;
  }

  #begin(): void {
    this.#isStarting = true;
    this.#limit = Math.min(FIRST, this.#most);
  }

  #shrink(): void {
    this.#isStarting = false;
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
  }

  #grow(periods: number): void {
    const larger = this.#isStarting ? 2 * this.#limit : this.#limit + periods;
    this.#limit = Math.min(this.#most, larger);
  }
}
