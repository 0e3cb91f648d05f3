import { setImmediate } from 'node:timers/promises';

/** A few ms of work. */
const PIECES = 50;

/** Lets other work of the process run, now and then, while many records are read or written. */
export class Breaks {
  #done = 0;

  /** Call it before each record. */
  async next(): Promise<void> {
    this.#done += 1;
    if (this.#done % PIECES === 0) await setImmediate();
  }
}
