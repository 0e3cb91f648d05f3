export type GiveBack = () => void;

/** One turn at a time on each name, in the order in which the turns were taken. */
export class SignalTurns {
  /** When the last turn taken on a name ends. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Whether no turn is held or waited for. */
  get areFree(): boolean {
    return this.#last.size === 0;
  }

  /** Resolves when the turn begins, to what ends it. Its place in the order is that of the call. */
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

  /** Turns taken on a name from now on also wait for those taken on another name until now. */
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
