import { setTimeout as delay } from 'node:timers/promises';

/** Repeats an action, with a pause in between, until it is stopped. */
export class Loop {
  readonly #round: (signal: AbortSignal, count: number) => Promise<void>;
  readonly #pauseMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: {
    /**
     * Should end soon after `signal` is aborted. Errors after that are ignored. `count` is the number of earlier
     * rounds.
     */
    round: (signal: AbortSignal, count: number) => Promise<void>;
    pauseMs: number;
    /** Called with the error of a round. The next round runs anyway. */
    onError: (error: unknown) => void;
  }) {
    this.#round = options.round;
    this.#pauseMs = options.pauseMs;
    this.#onError = options.onError;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when the current round has ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    for (let count = 0; !signal.aborted; count += 1) {
      try {
        await this.#round(signal, count);
      } catch (error) {
        if (!signal.aborted) this.#onError(error);
      }
      await pause(this.#pauseMs, signal).catch(() => {});
    }
  }
}

/** Waits. Rejects as soon as the signal is aborted. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal });
}
