/** After this time, ms, the messages of an open session count as traffic that other sessions must not delay. */
const SETTLED_MS = 10_000;

/** The open connections of this process, in the order in which they opened. */
export class OpenConnections {
  readonly #openedAt = new Map<object, number>();

  opened(connection: object): void {
    this.#openedAt.set(connection, performance.now());
  }

  closed(connection: object): void {
    this.#openedAt.delete(connection);
  }

  /** Whether at least one connection has been open for more than 10 s. */
  get hasSettled(): boolean {
    for (const openedAt of this.#openedAt.values()) return performance.now() - openedAt > SETTLED_MS;
    return false;
  }
}
