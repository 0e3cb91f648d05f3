/** How much waits. */
export interface Size {
  readonly events: number;
  /** Of the events' bodies together. */
  readonly characters: number;
}

const NOTHING: Size = { events: 0, characters: 0 };

/** With this much waiting there is congestion, with half of it no longer. */
const CONGESTED: Size = { events: 2_000, characters: 8 * 1024 * 1024 };

/** Counts what waits in an outbox, and tells when that becomes much and when it is little again. */
export class Congestion {
  readonly #onChange: (isCongested: boolean) => void;
  #waiting = NOTHING;
  #isCongested = false;

  constructor(onChange: (isCongested: boolean) => void) {
    this.#onChange = onChange;
  }

  /** Counts what comes and what leaves in one go, so that what takes the place of another makes no difference. */
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
