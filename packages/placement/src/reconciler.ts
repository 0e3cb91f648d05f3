import type { SessionDirectory, SessionRecord, WorkerRegistry } from '@wafleet/store';
import type { PlacementQueue, PlacementRequest } from './queue.js';
import { wantsWorker } from './wants-worker.js';

/**
 * Compares what should be with what is: asks for a placement of every session that should have a worker and has
 * none, or a dead one. It reads all sessions, in pages. Repeating it does no harm: requests are one per session,
 * and whoever serves one looks at the session again.
 */
export class Reconciler {
  readonly #sessions: SessionDirectory;
  readonly #workers: WorkerRegistry;
  readonly #queue: PlacementQueue;

  constructor(resources: { sessions: SessionDirectory; workers: WorkerRegistry; queue: PlacementQueue }) {
    this.#sessions = resources.sessions;
    this.#workers = resources.workers;
    this.#queue = resources.queue;
  }

  /** Resolves to how many sessions it asked a placement for. */
  async reconcile(): Promise<number> {
    let asked = 0;
    for await (const page of this.#sessions.scan()) {
      const requests = await this.#requestsFor(page.filter(wantsWorker));
      await this.#queue.enqueueAll(requests);
      asked += requests.length;
    }
    return asked;
  }

  async #requestsFor(sessions: readonly SessionRecord[]): Promise<PlacementRequest[]> {
    const owners = new Set(sessions.flatMap(({ worker }) => worker ?? []));
    const alive = await this.#workers.aliveIds([...owners]);
    return sessions
      .filter(({ worker }) => worker === undefined || !alive.has(worker))
      .map(({ tenantId, sessionId, worker }) => ({
        tenantId,
        sessionId,
        avoid: [],
        ...(worker === undefined
          ? { reason: 'restart' as const }
          : { reason: 'crash' as const, expectPrevious: worker }),
      }));
  }
}
