import type { Ownership, SessionDirectory, SessionRecord, WorkerRegistry } from '@wafleet/store';
import type { PlacementQueue, PlacementRequest } from './queue.js';
import { wantsWorker } from './wants-worker.js';

/**
 * Compares what should be with what is: asks for a placement of every session that should have a worker and has
 * none, or a dead one, and takes sessions that rest from dead owners. It reads all sessions, in pages. Repeating it does no harm: requests are one per session,
 * and whoever serves one looks at the session again.
 */
export class Reconciler {
  readonly #sessions: SessionDirectory;
  readonly #ownership: Ownership;
  readonly #workers: WorkerRegistry;
  readonly #queue: PlacementQueue;

  constructor(resources: {
    sessions: SessionDirectory;
    ownership: Ownership;
    workers: WorkerRegistry;
    queue: PlacementQueue;
  }) {
    this.#sessions = resources.sessions;
    this.#ownership = resources.ownership;
    this.#workers = resources.workers;
    this.#queue = resources.queue;
  }

  /** Resolves to how many sessions it asked a placement for. */
  async reconcile(): Promise<number> {
    let asked = 0;
    for await (const page of this.#sessions.scan()) {
      const requests = await this.#settle(page);
      await this.#queue.enqueueAll(requests);
      asked += requests.length;
    }
    return asked;
  }

  /** Frees resting sessions of dead owners, and resolves to requests for the sessions that need a worker. */
  async #settle(sessions: readonly SessionRecord[]): Promise<PlacementRequest[]> {
    const owners = new Set(sessions.flatMap(({ worker }) => worker ?? []));
    const alive = await this.#workers.aliveIds([...owners]);
    const unserved = sessions.filter(({ worker }) => worker === undefined || !alive.has(worker));
    // A worker that died after it wrote the status, and before it released the session.
    await Promise.all(
      unserved
        .filter((session) => !wantsWorker(session))
        .flatMap((session) =>
          session.worker === undefined ? [] : [this.#ownership.clearDead(session, session.worker)],
        ),
    );
    return unserved.filter(wantsWorker).map(({ tenantId, sessionId, worker }) => ({
      tenantId,
      sessionId,
      avoid: [],
      ...(worker === undefined
        ? { reason: 'restart' as const }
        : { reason: 'crash' as const, expectPrevious: worker }),
    }));
  }
}
