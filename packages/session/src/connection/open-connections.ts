/** How long a connection is open before the messages of its session count as traffic that others must not delay, ms. */
const SETTLED_MS = 10_000;

/** The connections of this process that are open, in the order in which they opened. */
export class OpenConnections {
  readonly #openedAt = new Map<object, number>();

  opened(connection: object): void {
    this.#openedAt.set(connection, performance.now());
  }

  closed(connection: object): void {
    this.#openedAt.delete(connection);
  }

  /** Whether one has been open for more than 10 s. */
  get hasSettled(): boolean {
    for (const openedAt of this.#openedAt.values()) return performance.now() - openedAt > SETTLED_MS;
    return false;
  }
}
