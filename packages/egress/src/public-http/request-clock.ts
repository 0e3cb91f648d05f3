import { PublicHttpError } from './public-http-error.js';

/** Limits of a request, each in ms. All but the last begin again with each redirect. */
export interface RequestTimes {
  /** The name's addresses, TCP and TLS. */
  readonly connectMs: number;
  /** From the request to the end of the answer's head. */
  readonly headersMs: number;
  /** Without a byte of the body, while the reader waits for one. */
  readonly idleMs: number;
  /** Everything together, with all redirects and the whole body. */
  readonly totalMs: number;
}

/** Ends a request when a time limit has passed, or when one of the given signals aborts. */
export class RequestClock {
  readonly #end = new AbortController();
  readonly #givenUpBy: readonly AbortSignal[];
  readonly #total: NodeJS.Timeout;
  #step: NodeJS.Timeout | undefined;

  constructor(totalMs: number, signals: readonly AbortSignal[]) {
    this.#givenUpBy = signals;
    this.#total = setTimeout(this.#expire, totalMs);
    for (const signal of signals) signal.addEventListener('abort', this.#giveUp);
    if (signals.some((signal) => signal.aborted)) this.#giveUp();
  }

  /** Aborts with a PublicHttpError (timeout), or with the reason of the signal that aborted. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /**
   * Begins a step with a limit of its own, in place of the one before.
   * @param isWaiting whether it counts now that the server is slow. If not, the limit begins again when it has passed.
   */
  startStep(ms: number, isWaiting: () => boolean = () => true): void {
    clearTimeout(this.#step);
    this.#step = setTimeout(() => (isWaiting() ? this.#expire() : this.restartStep()), ms);
  }

  restartStep(): void {
    this.#step?.refresh();
  }

  /** Nothing is ended afterwards. */
  stop(): void {
    clearTimeout(this.#total);
    clearTimeout(this.#step);
    for (const signal of this.#givenUpBy) signal.removeEventListener('abort', this.#giveUp);
  }

  readonly #expire = () => this.#end.abort(new PublicHttpError('timeout'));

  readonly #giveUp = () => this.#end.abort(this.#givenUpBy.find((signal) => signal.aborted)?.reason);
}
