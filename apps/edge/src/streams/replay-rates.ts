import type { Logger } from '@wafleet/runtime';
import type { TenantRates } from '@wafleet/store';
import { LRUCache } from 'lru-cache';

/** Bytes that are taken from a tenant's rate at a time: about one read. */
const BATCH_BYTES = 256 * 1024;
/** Maximum ms until the rate of a tenant that has used it up is asked again: its limit may have been changed. */
const ASK_AGAIN_MS = 1_000;
const MAX_TENANTS = 10_000;
const IDLE_MS = 60_000;

interface Allowance {
  /** Bytes that may be read without asking. Negative for bytes that were read but not taken from the rate yet. */
  bytes: number;
  isAsking: boolean;
  /** When to ask again, by `performance.now()`. */
  askAt: number;
}

/**
 * Bounds what replays read for each tenant, on all edges together: `replayBytes` of its limits. This edge takes some of
 * it in advance, so that Redis is asked about once for each page. A tenant that is new here may read at once; that is
 * charged afterwards, and so is the part of a read that cost more than was left. While Redis is out of reach nothing is
 * taken, and replays wait.
 */
export class ReplayRates {
  readonly #rates: Pick<TenantRates, 'take'>;
  readonly #logger: Logger;
  readonly #allowances = new LRUCache<string, Allowance>({
    max: MAX_TENANTS,
    ttl: IDLE_MS,
    updateAgeOnGet: true,
  });
  #onChange: () => void = () => {};

  constructor(rates: Pick<TenantRates, 'take'>, logger: Logger) {
    this.#rates = rates;
    this.#logger = logger;
  }

  /** Registers a callback for when a tenant that had to wait may read, or its waiting time is known. */
  onChange(action: () => void): void {
    this.#onChange = action;
  }

  /** How long the tenant's next read has to wait, in ms; 0 if it need not. Asks Redis if that is due. */
  wait(tenantId: string): number {
    const allowance = this.#allowances.get(tenantId);
    if (allowance === undefined || allowance.bytes > 0) return 0;
    this.#ask(tenantId, allowance);
    return Math.max(1, allowance.isAsking ? ASK_AGAIN_MS : allowance.askAt - performance.now());
  }

  /** Charges the tenant for what was read. */
  charge(tenantId: string, bytes: number): void {
    const allowance = this.#allowances.get(tenantId) ?? { bytes: 0, isAsking: false, askAt: 0 };
    this.#allowances.set(tenantId, allowance);
    allowance.bytes -= bytes;
    if (allowance.bytes <= 0) this.#ask(tenantId, allowance);
  }

  #ask(tenantId: string, allowance: Allowance): void {
    if (allowance.isAsking || performance.now() < allowance.askAt) return;
    allowance.isAsking = true;
    const cost = BATCH_BYTES - allowance.bytes;
    void this.#rates
      .take(tenantId, [{ limit: 'replayBytes' }], { cost, isDebt: true })
      .then(
        ({ isTaken, retryAfterMs }) => {
          if (isTaken) allowance.bytes += cost;
          allowance.askAt = isTaken ? 0 : performance.now() + Math.min(retryAfterMs, ASK_AGAIN_MS);
        },
        (error: unknown) => {
          this.#logger.debug(
            { err: error, tenantId },
            'could not take from the replay rate of a tenant; trying again',
          );
          allowance.askAt = performance.now() + ASK_AGAIN_MS;
        },
      )
      .finally(() => {
        allowance.isAsking = false;
        this.#onChange();
      });
  }
}
