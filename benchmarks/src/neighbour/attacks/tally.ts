/** Counts occurrences by name. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(what: string, count = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  toObject(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
