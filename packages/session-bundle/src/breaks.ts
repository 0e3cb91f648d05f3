import { setImmediate } from 'node:timers/promises';

/** A few ms of work, unless one of them is large. */
const PIECES = 50;
const WORK_MS = 10;

/** Lets other work of the process run, now and then, while many records are read or written. */
export class Breaks {
  #done = 0;
  #since = performance.now();

  /** Call it before each record. */
  async next(): Promise<void> {
    this.#done += 1;
    if (this.#done < PIECES && performance.now() - this.#since < WORK_MS) return;
    await setImmediate();
    this.#done = 0;
    this.#since = performance.now();
  }
}
