import { setTimeout as delay } from 'node:timers/promises';
import { watchEventLoop } from '@wafleet/runtime';

/** The share of its time from which on the process counts as busy. */
const BUSY = 0.5;
const FIRST_GAP_MS = 5;
/** So that all sessions of a worker that died are connected elsewhere within seconds, however busy the process. */
const LONGEST_GAP_MS = 50;

interface StartPaceOptions {
  /** The share of its time, 0 to 1, that the process worked since it was asked before. Default its event loop's. */
  readonly utilization?: () => number;
  /** Whether there is anything that the sessions which begin could delay. Default: always. */
  readonly isNeeded?: () => boolean;
  /** Default a timer. */
  readonly wait?: (ms: number) => Promise<void>;
}

/**
 * Spaces what the sessions of a process do when they begin: to make keys, and to agree on some with WhatsApp. Each takes
 * some ms of the event loop, so many at a time would keep the messages of all other sessions waiting. The gap between two
 * is doubled while the process is busy, up to 50 ms, and halved while it is not. There is
 * none if no session has been open for a while: all are away then, and are back sooner.
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

  /** Resolves when the next session may begin. To be called after each that did. */
  async gap(): Promise<void> {
    const isBusy = this.#utilization() >= BUSY && this.#isNeeded();
    this.#gapMs = isBusy
      ? Math.min(LONGEST_GAP_MS, Math.max(FIRST_GAP_MS, 2 * this.#gapMs))
      : Math.floor(this.#gapMs / 2);
    await this.#wait(this.#gapMs);
  }
}
