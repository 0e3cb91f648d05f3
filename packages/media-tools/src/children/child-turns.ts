import { FairQueue } from '@wafleet/runtime';
import { MediaToolError } from '../errors/media-tool-error.js';

interface Waiter {
  start: () => void;
}

/** Bounds how many calls work at a time, and how many wait, half of them of one tenant at most. Tenants take turns. */
export class ChildTurns {
  readonly #atOnce: number;
  readonly #maxWaiting: number;
  readonly #queue = new FairQueue<Waiter>();
  readonly #ofTenants = new Map<string, number>();
  #working = 0;

  constructor(atOnce: number, maxWaiting: number) {
    this.#atOnce = atOnce;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Runs `work` when it is its turn. What it does not wait for itself must be over when it settles.
   * @throws MediaToolError `busy`, at once; the signal's reason if it aborts before the turn; what `work` throws.
   */
  async run<T>(
    { tenantId, signal }: { tenantId: string; signal?: AbortSignal },
    work: () => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    if (this.#working < this.#atOnce) this.#working += 1;
    else await this.#wait(tenantId, signal);
    try {
      return await work();
    } finally {
      // The turn is passed on, so that no call that comes now can take it.
      const next = this.#queue.next();
      if (next === undefined) this.#working -= 1;
      else next.start();
    }
  }

  async #wait(tenantId: string, signal: AbortSignal | undefined): Promise<void> {
    const ofTenant = this.#ofTenants.get(tenantId) ?? 0;
    if (this.#queue.size >= this.#maxWaiting || ofTenant >= Math.ceil(this.#maxWaiting / 2)) {
      throw new MediaToolError('busy', 'Too many files wait to be prepared. Try again later.');
    }
    this.#ofTenants.set(tenantId, ofTenant + 1);
    let abort: (() => void) | undefined;
    try {
      await new Promise<void>((start, reject) => {
        const waiter: Waiter = { start };
        abort = () => {
          this.#queue.leave(tenantId, waiter);
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', abort);
        this.#queue.join(tenantId, waiter);
      });
    } finally {
      if (abort !== undefined) signal?.removeEventListener('abort', abort);
      this.#leave(tenantId);
    }
  }

  #leave(tenantId: string): void {
    const left = (this.#ofTenants.get(tenantId) ?? 1) - 1;
    if (left === 0) this.#ofTenants.delete(tenantId);
    else this.#ofTenants.set(tenantId, left);
  }
}
