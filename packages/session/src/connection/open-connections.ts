/** After this time, ms, the messages of an open session count as traffic that other sessions must not delay. */
const SETTLED_MS = 10_000;

/** The open connections of this process, in the order in which they opened. */
export class OpenConnections {
  readonly #open = new Map<object, { readonly at: number; readonly version: string }>();

  /** @param version the version of WhatsApp Web that the client reported. */
  opened(connection: object, version: string): void {
    this.#open.set(connection, { at: performance.now(), version });
  }

  closed(connection: object): void {
    this.#open.delete(connection);
  }

  /** Whether at least one connection has been open for more than 10 s. */
  get hasSettled(): boolean {
    for (const { at } of this.#open.values()) return performance.now() - at > SETTLED_MS;
    return false;
  }

  /** How many connections report each version. */
  get versions(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { version } of this.#open.values()) counts.set(version, (counts.get(version) ?? 0) + 1);
    return counts;
  }
}
