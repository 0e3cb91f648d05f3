import { setTimeout as delay } from 'node:timers/promises';
import { watchEventLoop } from '@wafleet/runtime';

/** The event-loop utilization from which on the process counts as busy. */
const BUSY = 0.5;
const FIRST_GAP_MS = 5;
/**
 * With this limit all sessions of a worker that died reconnect elsewhere within seconds, however busy the process is.
 */
const LONGEST_GAP_MS = 50;

interface StartPaceOptions {
  /** The share of time, 0 to 1, that the process worked since the last call. Default: the event-loop utilization. */
  readonly utilization?: () => number;
  /** Whether there are sessions that the starting sessions could delay. Default: always. */
  readonly isNeeded?: () => boolean;
  /** Default: a timer. */
  readonly wait?: (ms: number) => Promise<void>;
}

/**
 * Spaces out the CPU work of starting sessions: they generate keys, and agree on some with WhatsApp. Each start takes
 * some ms of the event loop, so a number of them at once would delay the messages of all other sessions. The gap
 * between two starts doubles while the process is busy, up to 50 ms, and halves while it is not. It shrinks to none
 * while no session has been open for a while: then all sessions are offline, and without a gap they are back sooner.
 */
export class StartPace {
  readonly #utilization: () => number;
  readonly #isNeeded: () => boolean;
  readonly #wait: (ms: number) => Promise<void>;
  #gapMs = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor({
    utilization = watchEventLoop(),
    isNeeded = () => true,
    wait = delay,
  }: StartPaceOptions = {}) {
    this.#utilization = utilization;
    this.#isNeeded = isNeeded;
    this.#wait = wait;
  }

  /** Resolves in the order of the calls, each a gap after the one before. */
  turn(): Promise<void> {
    const turn = this.#turn;
    this.#turn = turn.then(() => this.gap());
    return turn;
  }

  /** Resolves when the next session may begin. Call it after each session that began. */
  async gap(): Promise<void> {
    const isBusy = this.#utilization() >= BUSY && this.#isNeeded();
    this.#gapMs = isBusy
      ? Math.min(LONGEST_GAP_MS, Math.max(FIRST_GAP_MS, 2 * this.#gapMs))
      : Math.floor(this.#gapMs / 2);
    await this.#wait(this.#gapMs);
  }
}
