import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { EDGE_COUNTS_MS, SOCKET_COUNTS_LIFE_MS, type SocketCounts } from '@wafleet/store';

const WRITE_EVERY_MS = 500;
/** When a client that is refused may well try again. */
const RETRY_AFTER_MS = 5_000;

interface SocketQuotaOptions {
  readonly counts: SocketCounts;
  /** How many sockets of one key all edges may have together. */
  readonly limit: number;
  readonly onExceeded: () => void;
  readonly logger: Logger;
}

/**
 * Bounds the sockets of each API key on all edges together. Each socket is counted as it comes, in one step with all
 * edges' counts, so that edges do not let in too many at the same moment. That one has left is told within half a
 * second; that an edge was killed shows after 6 s. Until then a key may have less room than it should, never more,
 * unless an edge hangs for so long that its sockets no longer count.
 */
export class SocketQuota {
  readonly #options: SocketQuotaOptions;
  readonly #own = new Map<string, number>();
  readonly #timers: NodeJS.Timeout[] = [];
  #changed = new Set<string>();

  constructor(options: SocketQuotaOptions) {
    this.#options = options;
  }

  /** Begins to tell the other edges. Rejects when Redis does not answer. */
  async start(): Promise<void> {
    const { counts } = this.#options;
    await counts.beat();
    this.#every(EDGE_COUNTS_MS / 3, () => counts.beat());
    this.#every(WRITE_EVERY_MS, () => this.#write());
    this.#every(SOCKET_COUNTS_LIFE_MS / 3, () => counts.write(this.#own));
  }

  /**
   * Counts a socket until the function that is returned is called.
   * @throws {WafleetError} TOO_MANY_CONNECTIONS
   */
  async admit(keyId: string): Promise<() => void> {
    const { counts, limit, onExceeded } = this.#options;
    const own = this.#own.get(keyId) ?? 0;
    const release = this.#count(keyId);
    try {
      const answer = own < limit ? await counts.admit(keyId, { own, limit }) : undefined;
      if (answer?.isAdmitted === true) return release;
    } catch (error) {
      release();
      throw error;
    }
    release();
    onExceeded();
    const message = `This API key has ${limit} connections, which is as many as it may have.`;
    throw new WafleetError('TOO_MANY_CONNECTIONS', message, { limit, retryAfterMs: RETRY_AFTER_MS });
  }

  /** Tells the others that the sockets of this edge are gone. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const { counts, logger } = this.#options;
    await counts.end().catch((error: unknown) => {
      logger.debug({ err: error }, 'the sockets of this edge count until that runs out');
    });
  }

  #count(keyId: string): () => void {
    this.#own.set(keyId, (this.#own.get(keyId) ?? 0) + 1);
    let isCounted = true;
    return () => {
      if (!isCounted) return;
      isCounted = false;
      const left = (this.#own.get(keyId) ?? 1) - 1;
      if (left === 0) this.#own.delete(keyId);
      else this.#own.set(keyId, left);
      this.#changed.add(keyId);
    };
  }

  async #write(): Promise<void> {
    const changed = this.#changed;
    if (changed.size === 0) return;
    this.#changed = new Set();
    try {
      await this.#options.counts.write(
        new Map([...changed].map((keyId) => [keyId, this.#own.get(keyId) ?? 0])),
      );
    } catch (error) {
      for (const keyId of changed) this.#changed.add(keyId);
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
