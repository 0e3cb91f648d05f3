import type { Socket } from 'node:net';

/**
 * Refusals that are answered in one turn of the event loop, so that what arrives meanwhile does not wait for all of
 * them.
 */
const ANSWERED_PER_TURN = 8;
/** Maximum refusals of all connections that wait for their turn. */
const MAX_WAITING = 1_000;

/**
 * Answers refused requests a few in each turn of the event loop. At most one of each connection waits, and 1,000 of
 * all; the others are answered at once. Node then sees the answers that are not sent yet, and stops reading a
 * connection whose client sends faster than it is answered.
 */
export class PacedRefusals {
  readonly #waiting = new Map<Socket, () => void>();

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  add(connection: Socket, answer: () => void): void {
    if (this.#waiting.has(connection) || this.#waiting.size >= MAX_WAITING) {
      answer();
      return;
    }
    this.#waiting.set(connection, answer);
    if (this.#waiting.size === 1) this.#schedule();
  }

  #schedule(): void {
    setImmediate(() => {
      let answered = 0;
      for (const [connection, answer] of this.#waiting) {
        this.#waiting.delete(connection);
        answer();
        answered += 1;
        if (answered === ANSWERED_PER_TURN) break;
      }
      if (this.#waiting.size > 0) this.#schedule();
    });
  }
}
