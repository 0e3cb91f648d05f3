/**
 * Statistics of a device's logins: their number, the number that replaced a connection that was still open, and the
 * longest time with two open connections. The last two are zero for a client that uses one connection at a time. Two
 * clients with the same credentials replace each other repeatedly.
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

  /** Logins while another connection of the device was open. That connection is closed as `replaced`. */
  get conflicts(): number {
    return this.#conflicts;
  }

  /** The longest time so far in which the device had more than one connection. */
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
