import { watchEventLoop } from '@wafleet/runtime';

/** How often it is looked how busy the process is, ms. */
const PERIOD_MS = 100;
/** The share of its time from which on the process counts as busy: what comes then waits for what is at work. */
const BUSY = 0.7;

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
 * each tenth of a second in which the process was busy, down to 1, and one more after each in which it was not (additive
 * increase, multiplicative decrease, as TCP does).
 */
export class BusyLimit {
  readonly #most: number;
  readonly #now: () => number;
  readonly #utilization: () => number;
  #limit: number;
  #lookedAt: number;

  constructor({ most, now = () => performance.now(), utilization = watchEventLoop() }: BusyLimitOptions) {
    this.#most = most;
    this.#now = now;
    this.#utilization = utilization;
    this.#limit = most;
    this.#lookedAt = now();
  }

  /** The limit as it is now, at least 1. */
  now(): number {
    const periods = Math.floor((this.#now() - this.#lookedAt) / PERIOD_MS);
    if (periods > 0) {
      this.#lookedAt = this.#now();
      const isBusy = this.#utilization() >= BUSY;
      // A long time without a look was one without such work.
      this.#limit = isBusy
        ? Math.max(1, Math.floor(this.#limit / 2))
        : Math.min(this.#most, this.#limit + periods);
    }
    return this.#limit;
  }
}
