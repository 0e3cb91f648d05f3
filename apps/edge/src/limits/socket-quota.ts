import { limitError, WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import {
  EDGE_COUNTS_MS,
  SOCKET_COUNTS_LIFE_MS,
  type SocketCounts,
  type SocketOwner,
  type TenantLimitTable,
} from '@wafleet/store';
import type { Identity } from '../access/identity.js';
import type { Limit } from './client-limits.js';

const WRITE_EVERY_MS = 500;
/** When a refused client should try again. */
const RETRY_AFTER_MS = 5_000;

interface SocketQuotaOptions {
  readonly counts: SocketCounts;
  /** How many sockets of one key all edges may have together. */
  readonly perKey: number;
  /** How many sockets each tenant may have, as `sockets`. */
  readonly tenants: Pick<TenantLimitTable, 'get'>;
  readonly onExceeded: (limit: Extract<Limit, 'sockets_per_key' | 'sockets'>) => void;
  readonly logger: Logger;
}

/**
 * Bounds the sockets of each API key and of each tenant on all edges together. Each socket is counted when it connects,
 * in one step with the counts of all edges, so edges do not let in too many at the same moment. A socket that leaves is
 * written within half a second. The sockets of a killed edge are dropped after 6 s. Until then there may be less room
 * than there should be, never more, unless an edge hangs for so long that its sockets no longer count.
 */
export class SocketQuota {
  readonly #options: SocketQuotaOptions;
  readonly #own = new Map<SocketOwner, number>();
  readonly #timers: NodeJS.Timeout[] = [];
  #changed = new Set<SocketOwner>();

  constructor(options: SocketQuotaOptions) {
    this.#options = options;
  }

  /** Starts to publish the counts of this edge. Rejects if Redis does not answer. */
  async start(): Promise<void> {
    const { counts } = this.#options;
    await counts.beat();
    this.#every(EDGE_COUNTS_MS / 3, () => counts.beat());
    this.#every(WRITE_EVERY_MS, () => this.#write());
    this.#every(SOCKET_COUNTS_LIFE_MS / 3, () => counts.write(this.#own));
  }

  /**
   * Counts a socket until the returned function is called. Rejects if Redis does not answer.
   * @throws {WafleetError} TOO_MANY_CONNECTIONS
   */
  async admit({ keyId, tenantId }: Pick<Identity, 'keyId' | 'tenantId'>): Promise<() => void> {
    const { counts, perKey, tenants, onExceeded } = this.#options;
    const ofKey = `key:${keyId}` as const;
    const ofTenant = `tenant:${tenantId}` as const;
    const { sockets } = await tenants.get(tenantId);
    const wanted = [
      { of: ofKey, own: this.#own.get(ofKey) ?? 0, limit: perKey },
      { of: ofTenant, own: this.#own.get(ofTenant) ?? 0, limit: sockets },
    ];
    const release = this.#count([ofKey, ofTenant]);
    try {
      // This edge alone may be over the limit already: Redis need not be asked for each attempt of a flood.
      const full = wanted.find(({ own, limit }) => own >= limit) ?? (await counts.admit(wanted)).full;
      if (full === undefined) return release;
      onExceeded(full.of === ofKey ? 'sockets_per_key' : 'sockets');
      throw full.of === ofKey ? tooManyOfKey(perKey) : tooManyOfTenant(sockets);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Removes the sockets of this edge from the counts of all edges. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const { counts, logger } = this.#options;
    await counts.end().catch((error: unknown) => {
      logger.debug({ err: error }, 'could not remove the socket counts of this edge; they expire');
    });
  }

  #count(owners: readonly SocketOwner[]): () => void {
    for (const of of owners) this.#own.set(of, (this.#own.get(of) ?? 0) + 1);
    let isCounted = true;
    return () => {
      if (!isCounted) return;
      isCounted = false;
      for (const of of owners) {
        const left = (this.#own.get(of) ?? 1) - 1;
        if (left === 0) this.#own.delete(of);
        else this.#own.set(of, left);
        this.#changed.add(of);
      }
    };
  }

  async #write(): Promise<void> {
    const changed = this.#changed;
    if (changed.size === 0) return;
    this.#changed = new Set();
    try {
      await this.#options.counts.write(new Map([...changed].map((of) => [of, this.#own.get(of) ?? 0])));
    } catch (error) {
      for (const of of changed) this.#changed.add(of);
      throw error;
    }
  }

  #every(ms: number, action: () => Promise<void>): void {
    const { logger } = this.#options;
    const run = () => {
      action().catch((error: unknown) => logger.debug({ err: error }, 'sockets could not be counted'));
    };
    this.#timers.push(setInterval(run, ms));
  }
}

function tooManyOfKey(limit: number): WafleetError {
  const message = `This API key has ${limit} connections, which is as many as it may have.`;
  const resource = 'sockets_per_key' satisfies Limit;
  return new WafleetError('TOO_MANY_CONNECTIONS', message, { resource, limit, retryAfterMs: RETRY_AFTER_MS });
}

function tooManyOfTenant(limit: number): WafleetError {
  return limitError('sockets', 'TOO_MANY_CONNECTIONS', { limit, retryAfterMs: RETRY_AFTER_MS });
}
