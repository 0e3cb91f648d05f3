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

  /**
   * Takes this one out, out of turn. Its tenant goes to the end of the round.
   * @returns whether it was in the queue.
   */
  serve(tenantId: string, waiter: T): boolean {
    const line = this.#byTenant.get(tenantId);
    if (line?.has(waiter) !== true) return false;
    this.leave(tenantId, waiter);
    if (!this.#byTenant.delete(tenantId)) return true;
    this.#byTenant.set(tenantId, line);
    return true;
  }

  /** In the order in which `next` would take them out. Do not change the queue meanwhile. */
  *[Symbol.iterator](): Generator<T> {
    const round = new Set(Array.from(this.#byTenant.values(), (line) => line.values()));
    while (round.size > 0) {
      for (const line of round) {
        const { value, done } = line.next();
        if (done === true) round.delete(line);
        else yield value;
      }
    }
  }
}
