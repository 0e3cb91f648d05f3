import type { Logger } from '@wafleet/runtime';
import { type Fence, Ownership, type RedisConnection, SessionIndex, type SessionRef } from '@wafleet/store';

/** Tenants whose sets are read in one round. A worker with sessions of more compares them over several rounds. */
const TENANTS_AT_ONCE = 100;

interface StraySessionsOptions {
  readonly redis: RedisConnection;
  /** The incarnation whose sessions are compared. */
  readonly worker: string;
  /** Whether the worker runs the session, is taking it, or is giving it up. */
  readonly isHere: (ref: SessionRef) => boolean;
  readonly onReleased: () => void;
  /** Names the worker in each line. */
  readonly logger: Logger;
}

/**
 * Finds sessions that Redis says the worker owns and that it does not run. No sweep takes a session from a living
 * worker, so such a session would wait until the worker ends. Such sessions should not exist: the known causes are
 * handled where they happen. This class is for unknown causes.
 *
 * A session is released after it was found in two consecutive rounds, in the same epoch, and only under the fence of
 * that epoch. A claim that is made meanwhile raises the epoch, so it keeps what it took, whichever of both Redis
 * executes first. Sweeps then place the session again.
 */
export class StraySessions {
  readonly #options: StraySessionsOptions;
  readonly #index: SessionIndex;
  readonly #ownership: Ownership;
  #tenantsLeft: string[] = [];
  #suspects = new Map<string, Fence>();
  #isLooking = false;

  constructor(options: StraySessionsOptions) {
    this.#options = options;
    this.#index = new SessionIndex(options.redis, options);
    this.#ownership = new Ownership(options.redis, options);
  }

  /** One round: reads the sets of up to 100 tenants, in one go. Never rejects: the next round goes on. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#compare();
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'owned sessions could not be compared');
    } finally {
      this.#isLooking = false;
    }
  }

  async #compare(): Promise<void> {
    const { worker, isHere } = this.#options;
    const before = this.#suspects;
    this.#suspects = new Map();
    if (this.#tenantsLeft.length === 0) this.#tenantsLeft = await this.#index.tenantsOf(worker);
    const tenantIds = this.#tenantsLeft.splice(0, TENANTS_AT_ONCE);
    const owned = await this.#index.ownedOf(worker, tenantIds);
    const missing = new Map<string, SessionRef>(before);
    for (const ref of owned) if (!isHere(ref)) missing.set(keyOf(ref), ref);
    const refs = [...missing.values()];
    const records = await this.#ownership.readMany(refs);
    const found = refs.flatMap(({ tenantId, sessionId }, index): Fence[] => {
      const record = records[index];
      return record?.worker === worker ? [{ tenantId, sessionId, epoch: record.epoch, worker }] : [];
    });
    for (const fence of found) {
      if (isHere(fence)) continue;
      if (before.get(keyOf(fence))?.epoch === fence.epoch) await this.#release(fence);
      else this.#suspects.set(keyOf(fence), fence);
    }
  }

  async #release(fence: Fence): Promise<void> {
    const { onReleased, logger } = this.#options;
    if (!(await this.#ownership.release(fence))) return;
    onReleased();
    const { tenantId, sessionId, epoch } = fence;
    logger.warn({ tenantId, sessionId, epoch }, 'a session that this worker does not run was released');
  }
}

function keyOf({ tenantId, sessionId }: SessionRef): string {
  return `${tenantId}/${sessionId}`;
}
