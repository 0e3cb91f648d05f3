/** The amount of waiting work. */
export interface Size {
  readonly events: number;
  /** Of all event bodies together. */
  readonly characters: number;
}

const NOTHING: Size = { events: 0, characters: 0 };

/** Congestion begins when more than this waits, and ends at half of it. */
const CONGESTED: Size = { events: 2_000, characters: 8 * 1024 * 1024 };

/** Counts what waits in an outbox, and reports when congestion begins and when it ends. */
export class Congestion {
  readonly #onChange: (isCongested: boolean) => void;
  #waiting = NOTHING;
  #isCongested = false;

  constructor(onChange: (isCongested: boolean) => void) {
    this.#onChange = onChange;
  }

  /** Counts additions and removals together, so that replacing one item with another makes no difference. */
  count({ added = NOTHING, removed = NOTHING }: { added?: Size; removed?: Size }): void {
    this.#waiting = {
      events: this.#waiting.events + added.events - removed.events,
      characters: this.#waiting.characters + added.characters - removed.characters,
    };
    const share = this.#isCongested ? 0.5 : 1;
    const isCongested =
      this.#waiting.events > CONGESTED.events * share ||
      this.#waiting.characters > CONGESTED.characters * share;
    if (isCongested === this.#isCongested) return;
    this.#isCongested = isCongested;
    this.#onChange(isCongested);
  }
}
