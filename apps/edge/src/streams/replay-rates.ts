import type { Logger } from '@wafleet/runtime';
import type { TenantRates } from '@wafleet/store';
import { LRUCache } from 'lru-cache';

/** What is taken of a tenant's rate at a time, bytes: about one read. */
const BATCH_BYTES = 256 * 1024;
/** When a tenant that has used up its rate is asked for again, at the latest, ms: its limit may have been changed. */
const ASK_AGAIN_MS = 1_000;
const MAX_TENANTS = 10_000;
const IDLE_MS = 60_000;

interface Allowance {
  /** What may be read without asking; below zero for what was read and is not taken of the rate yet. */
  bytes: number;
  isAsking: boolean;
  /** When to ask again, by `performance.now()`. */
  askAt: number;
}

/**
 * What replays read for each tenant, on all edges together: `replayBytes` of its limits. This edge takes some of it
 * ahead, so that Redis is asked about once for each page. A tenant that is new here may read at once; that is charged
 * afterwards, and so is what a read has cost more than was left. While Redis is away nothing is taken, and replays wait.
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

  /** Has something called when a tenant may read that had to wait, or it is known for how long. */
  onChange(action: () => void): void {
    this.#onChange = action;
  }

  /** How long the tenant's next read has to wait, ms; 0 if it need not. Asks Redis if that is due. */
  wait(tenantId: string): number {
    const allowance = this.#allowances.get(tenantId);
    if (allowance === undefined || allowance.bytes > 0) return 0;
    this.#ask(tenantId, allowance);
    return Math.max(1, allowance.isAsking ? ASK_AGAIN_MS : allowance.askAt - performance.now());
  }

  /** The tenant has read so much. */
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
          this.#logger.debug({ err: error, tenantId }, 'could not take of the rate of replays; trying again');
          allowance.askAt = performance.now() + ASK_AGAIN_MS;
        },
      )
      .finally(() => {
        allowance.isAsking = false;
        this.#onChange();
      });
  }
}
