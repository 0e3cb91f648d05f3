import { setTimeout as delay } from 'node:timers/promises';
import { isResting } from '@wafleet/contract';
import type { PlacementQueue } from '@wafleet/placement';
import type { Logger } from '@wafleet/runtime';
import type { SessionDirectory, SessionRecord, SessionRef, WorkerRegistry } from '@wafleet/store';
import type { SessionLog } from './session-log.js';

/** How long another worker may take to claim a session, and to open it once it has. */
const CLAIM_MS = 8_000;
const OPEN_MS = 10_000;
const LOOK_MS = 50;
/** How long the answer that a worker can take sessions stays valid. */
const TAKERS_MS = 500;

export interface HandOverResources {
  /** The worker that gives sessions away. */
  readonly worker: string;
  readonly placements: PlacementQueue;
  readonly sessions: SessionDirectory;
  readonly workers: WorkerRegistry;
  readonly log: SessionLog;
  readonly logger: Logger;
}

/**
 * Has other workers take the sessions that this one releases. It asks for the placement itself, at once: a sweep
 * would find the released session as well, but up to a second later.
 */
export class HandOver {
  readonly #resources: HandOverResources;
  #takersLookedAt = Number.NEGATIVE_INFINITY;
  #hasTakers = true;

  constructor(resources: HandOverResources) {
    this.#resources = resources;
  }

  /**
   * Asks for a placement of a session that was released, and resolves when another worker has opened it. A caller that
   * waits for that before it releases the next session keeps each session away only as long as one takeover lasts,
   * however many there are. Does not wait for what will not come: if no other worker has room, the session is only
   * asked for, and stays `queued` until one has. A session that was not claimed in time is left to the sweeps. Never
   * rejects.
   */
  async pass({ tenantId, sessionId }: SessionRef): Promise<void> {
    const { worker, placements, logger } = this.#resources;
    try {
      await placements.enqueue({
        tenantId,
        sessionId,
        reason: 'drain',
        expectPrevious: worker,
        avoid: [worker],
      });
      await this.#untilOpen({ tenantId, sessionId });
    } catch (error) {
      logger.warn({ err: error, tenantId, sessionId }, 'a released session is left to the next sweep');
    }
  }

  async #untilOpen(ref: SessionRef): Promise<void> {
    const releasedAt = performance.now();
    for (;;) {
      const record = await this.#resources.sessions.get(ref);
      const elapsedMs = performance.now() - releasedAt;
      if (record === undefined) return;
      if (isSettled(record)) {
        if (record.worker !== undefined) {
          this.#resources.log.handedOver(ref, { workerId: record.worker, tookMs: Math.round(elapsedMs) });
        }
        return;
      }
      if (record.worker === undefined) {
        if (elapsedMs > CLAIM_MS || !(await this.#someoneTakes())) return;
      } else if (elapsedMs > CLAIM_MS + OPEN_MS) {
        return;
      }
      await delay(LOOK_MS);
    }
  }

  async #someoneTakes(): Promise<boolean> {
    if (performance.now() - this.#takersLookedAt > TAKERS_MS) {
      this.#takersLookedAt = performance.now();
      const listed = await this.#resources.workers.list();
      this.#hasTakers = listed.some(({ draining, sessions, capacity }) => !draining && sessions < capacity);
    }
    return this.#hasTakers;
  }
}

/** Whether the next worker has finished the start, successfully or not. */
function isSettled({ worker, status }: SessionRecord): boolean {
  return isResting(status) || (worker !== undefined && status !== 'queued' && status !== 'connecting');
}
