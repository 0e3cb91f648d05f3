import { deferred } from '../harness/deferred.js';
import { labelOf } from './protocol.js';

/** If no text arrives for this time, the missing ones are lost. */
const STALL_MS = 30_000;

/** Counts the texts that have arrived, each once, by the label of their writing. */
export class Arrivals {
  readonly #byLabel = new Map<string, Set<string>>();
  #onArrival: () => void = () => {};

  /** Ignores texts that do not belong to a writing. */
  add(text: string): void {
    const label = labelOf(text);
    if (label === undefined) return;
    const known = this.#byLabel.get(label);
    if (known === undefined) this.#byLabel.set(label, new Set([text]));
    else known.add(text);
    this.#onArrival();
  }

  /** Resolves with the number of texts of the label, at `count` or when no more arrive, and then forgets them. */
  async settle(label: string, count: number): Promise<number> {
    const size = () => this.#byLabel.get(label)?.size ?? 0;
    const settled = deferred<void>();
    let seen = -1;
    const watch = setInterval(() => {
      if (size() === seen) settled.resolve();
      seen = size();
    }, STALL_MS);
    this.#onArrival = () => {
      if (size() >= count) settled.resolve();
    };
    this.#onArrival();
    await settled.promise;
    clearInterval(watch);
    this.#onArrival = () => {};
    const arrived = size();
    this.#byLabel.delete(label);
    return arrived;
  }
}
