export type GiveBack = () => void;

/** Gives one turn at a time on each name, in the order of the calls. */
export class SignalTurns {
  /** When the last turn taken on a name ends. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Whether no turn is held or awaited. */
  get areFree(): boolean {
    return this.#last.size === 0;
  }

  /** Resolves when the turn begins, to a function that ends it. Turns are ordered by their calls. */
  async take(name: string): Promise<GiveBack> {
    const earlier = this.#last.get(name);
    let giveBack: GiveBack = () => {};
    const end = new Promise<void>((resolve) => {
      giveBack = resolve;
    });
    this.#setLast(name, end);
    await earlier;
    return giveBack;
  }

  /** Makes later turns on `name` also wait for the turns taken so far on `other`. */
  waitFor(name: string, other: string): void {
    const end = this.#last.get(other);
    if (end !== undefined && name !== other) this.#setLast(name, Promise.all([this.#last.get(name), end]));
  }

  #setLast(name: string, end: Promise<unknown>): void {
    this.#last.set(name, end);
    void end.then(() => {
      if (this.#last.get(name) === end) this.#last.delete(name);
    });
  }
}
