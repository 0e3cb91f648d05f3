import type { EventPosition } from '@wafleet/contract';

/** How many logs are remembered: many more than a worker has sessions. */
const REMEMBERED_LOGS = 10_000;

/** The position of the last event that this process appended to each tenant's log. */
export class LastPositions {
  readonly #byTenant = new Map<string, EventPosition>();

  /** Undefined if this process appended nothing, or so long ago that it is forgotten. */
  of(tenantId: string): EventPosition | undefined {
    return this.#byTenant.get(tenantId);
  }

  note(tenantId: string, position: EventPosition): void {
    this.#byTenant.delete(tenantId);
    this.#byTenant.set(tenantId, position);
    if (this.#byTenant.size <= REMEMBERED_LOGS) return;
    const [oldest] = this.#byTenant.keys();
    if (oldest !== undefined) this.#byTenant.delete(oldest);
  }
}
