/** A queue that serves tenants in turn, and the entries of a tenant in their order. */
export class FairQueue<T> {
  readonly #byTenant = new Map<string, Set<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  join(tenantId: string, waiter: T): void {
    const line = this.#byTenant.get(tenantId) ?? new Set();
    this.#byTenant.set(tenantId, line.add(waiter));
    this.#size += 1;
  }

  /**
   * Takes the next one out.
   * @param mayServe whether a tenant may be served; a tenant that is passed over keeps its place in the round.
   */
  next(mayServe: (tenantId: string) => boolean = () => true): T | undefined {
    for (const [tenantId, line] of this.#byTenant) {
      if (!mayServe(tenantId)) continue;
      // The tenant goes to the end of the round.
      this.#byTenant.delete(tenantId);
      for (const waiter of line) {
        line.delete(waiter);
        if (line.size > 0) this.#byTenant.set(tenantId, line);
        this.#size -= 1;
        return waiter;
      }
    }
    return undefined;
  }

  /** Does nothing if it is not in the queue. */
  leave(tenantId: string, waiter: T): void {
    const line = this.#byTenant.get(tenantId);
    if (line?.delete(waiter) !== true) return;
    this.#size -= 1;
    if (line.size === 0) this.#byTenant.delete(tenantId);
  }

  *[Symbol.iterator](): Generator<T> {
    for (const line of this.#byTenant.values()) yield* line;
  }
}
