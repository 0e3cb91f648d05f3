import { watchEventLoop } from '@wafleet/runtime';

/** How often it is looked how busy the process is, ms. */
const PERIOD_MS = 100;
/** The share of its time from which on the process counts as busy: what comes then waits for what is at work. */
const BUSY = 0.7;
/** The limit after a quiet time: how busy the work will keep the process is not known yet. */
const FIRST = 4;
/** A time without such work, ms. */
const QUIET_MS = 1_000;

interface BusyLimitOptions {
  /** The limit while the process is not busy. */
  readonly most: number;
  /** Ms. Default the process's clock. */
  readonly now?: () => number;
  /** The share of its time, 0 to 1, that the process worked since it was asked before. Default its event loop's. */
  readonly utilization?: () => number;
}

/**
 * How many pieces of work of one kind may run at a time, so that they leave the process time for other work: halved in
 * each tenth of a second in which the process was busy, down to 1, and one more after each in which it was not. After a
 * quiet time it begins with 4 and is doubled, until the process is busy for the first time (additive increase,
 * multiplicative decrease and slow start, as TCP has them).
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

  /** The limit as it is now, at least 1. To be asked while there is such work. */
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
