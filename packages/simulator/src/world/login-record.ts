/**
 * What a device's logins were like: how many, how many took the place of a connection that was still open, and for
 * how long two were open at once. Of a client that keeps to one connection the last two tell nothing but zero; two
 * clients with the same credentials throw each other out again and again.
 */
export class LoginRecord {
  readonly #open = new Set<object>();
  #overlapSince: number | undefined;
  #longestOverlapMs = 0;
  #logins = 0;
  #conflicts = 0;

  get logins(): number {
    return this.#logins;
  }

  /** Logins while another connection of the device was open, which is told `replaced` then. */
  get conflicts(): number {
    return this.#conflicts;
  }

  /** The longest time in which the device had more than one connection, up to now. */
  get longestOverlapMs(): number {
    const running = this.#overlapSince === undefined ? 0 : performance.now() - this.#overlapSince;
    return Math.max(this.#longestOverlapMs, running);
  }

  opened(connection: object): void {
    this.#logins += 1;
    if (this.#open.size > 0) {
      this.#conflicts += 1;
      this.#overlapSince ??= performance.now();
    }
    this.#open.add(connection);
  }

  closed(connection: object): void {
    this.#open.delete(connection);
    if (this.#open.size > 1) return;
    this.#longestOverlapMs = this.longestOverlapMs;
    this.#overlapSince = undefined;
  }
}
