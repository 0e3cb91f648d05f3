import { deferred } from '../harness/deferred.js';
import { labelOf } from './protocol.js';

/** Nothing came for so long: what is missing then is lost. */
const STALL_MS = 30_000;

/** The texts that have arrived, each counted once, by the label of their writing. */
export class Arrivals {
  readonly #byLabel = new Map<string, Set<string>>();
  #onArrival: () => void = () => {};

  /** Texts that no writing made are ignored. */
  add(text: string): void {
    const label = labelOf(text);
    if (label === undefined) return;
    const known = this.#byLabel.get(label);
    if (known === undefined) this.#byLabel.set(label, new Set([text]));
    else known.add(text);
    this.#onArrival();
  }

  /** How many texts of the label there are once there are `count`, or when no more come; they are forgotten then. */
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
