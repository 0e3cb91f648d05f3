import type { PlacementQueue, PlacementReason } from '@wafleet/placement';
import type { Logger } from '@wafleet/runtime';
import type { CommandClient, SessionRef } from '@wafleet/store';

interface WorkerRequestResources {
  readonly client: CommandClient;
  readonly placement: PlacementQueue;
  readonly logger: Logger;
}

/** What an edge asks for so that a session changes its worker. None of it rejects: the sweeps of the placers go on. */
export class WorkerRequests {
  readonly #resources: WorkerRequestResources;

  constructor(resources: WorkerRequestResources) {
    this.#resources = resources;
  }

  /** Asks the placers for a worker. */
  async askForWorker(ref: SessionRef, reason: PlacementReason = 'restart'): Promise<void> {
    const { placement, logger } = this.#resources;
    const { tenantId, sessionId } = ref;
    try {
      await placement.enqueue({ tenantId, sessionId, reason, avoid: [] });
    } catch (error) {
      logger.warn({ err: error, tenantId, sessionId }, 'could not ask for a worker; the reconciler will');
    }
  }

  /** Has a worker release a session. Resolves when it has, has refused, or the deadline has passed. */
  async haveReleased(ref: SessionRef, worker: string, deadlineMs: number): Promise<void> {
    const { client, logger } = this.#resources;
    const { tenantId, sessionId } = ref;
    try {
      await client.call(worker, { kind: 'release', tenantId, sessionId }, { deadlineMs });
    } catch (error) {
      logger.warn({ err: error, tenantId, sessionId, workerId: worker }, 'owner did not release a session');
    }
  }
}
