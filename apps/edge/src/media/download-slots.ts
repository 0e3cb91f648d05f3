import { WafleetError } from '@wafleet/contract';

const RETRY_AFTER_MS = 5_000;

/** How many files may be downloaded at a time. */
export interface SlotLimits {
  /** By this edge. */
  readonly downloads: number;
  /** By this edge for one tenant. */
  readonly downloadsPerTenant: number;
}

/** Counts the downloads of an edge, so that neither it nor a tenant's share of it has too many. */
export class DownloadSlots {
  readonly #limits: SlotLimits;
  readonly #byTenant = new Map<string, number>();
  #taken = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes a slot.
   * @returns what gives it back, to be called once.
   * @throws {WafleetError} TOO_MANY_DOWNLOADS.
   */
  take(tenantId: string): () => void {
    const ofTenant = this.#byTenant.get(tenantId) ?? 0;
    const { downloads, downloadsPerTenant } = this.#limits;
    if (ofTenant >= downloadsPerTenant) throw tooMany('this tenant', downloadsPerTenant);
    if (this.#taken >= downloads) throw tooMany('this edge', downloads);
    this.#taken += 1;
    this.#byTenant.set(tenantId, ofTenant + 1);
    return () => {
      this.#taken -= 1;
      const left = (this.#byTenant.get(tenantId) ?? 1) - 1;
      if (left > 0) this.#byTenant.set(tenantId, left);
      else this.#byTenant.delete(tenantId);
    };
  }
}

function tooMany(whose: string, limit: number): WafleetError {
  const message = `Files of ${whose} are being downloaded in all ${limit} places.`;
  return new WafleetError('TOO_MANY_DOWNLOADS', message, { limit, retryAfterMs: RETRY_AFTER_MS });
}
