/** How long the outcome of a command is remembered. */
const LIFE_MS = 10 * 60 * 1000;
const LIMIT = 10_000;

/**
 * Runs work with the same key once. A call that arrives while the work runs, or within ten minutes after it succeeded,
 * gets its result. After a failure the next call runs the work again. Remembers the latest 10,000 outcomes.
 *
 * This is not an LRU cache: outcomes leave in the order in which they came, so those that are too old are at the front
 * and are freed with the next call. An LRU cache would hold replies, which may be large, until it is full.
 */
export class RecentOutcomes<Result> {
  readonly #outcomes = new Map<string, { readonly result: Promise<Result>; readonly at: number }>();

  async once(key: string, work: () => Promise<Result>): Promise<Result> {
    this.#forget();
    const known = this.#outcomes.get(key);
    if (known !== undefined) return known.result;
    const result = work();
    this.#outcomes.set(key, { result, at: performance.now() });
    try {
      return await result;
    } catch (error) {
      this.#outcomes.delete(key);
      throw error;
    }
  }

  #forget(): void {
    const oldest = performance.now() - LIFE_MS;
    for (const [key, { at }] of this.#outcomes) {
      if (at >= oldest && this.#outcomes.size < LIMIT) return;
      this.#outcomes.delete(key);
    }
  }
}
