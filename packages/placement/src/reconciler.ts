import type {
  Ownership,
  SessionDirectory,
  SessionIndex,
  SessionRecord,
  WorkerRegistry,
} from '@wafleet/store';
import { needsWorker, needsWorkerNow } from './needs-worker.js';
import type { PlacementRequest } from './placement-request.js';
import type { PlacementQueue } from './queue.js';

/** Sessions that one sweep looks at, of each kind. More of them are found by the next sweeps. */
const MOST = 500;
/** Pages of the slow comparison of all sessions that one sweep reads. */
const PAGES = 2;

interface ReconcilerResources {
  readonly sessions: SessionDirectory;
  readonly ownership: Ownership;
  readonly index: SessionIndex;
  readonly workers: WorkerRegistry;
  readonly queue: PlacementQueue;
}

/**
 * Compares what should be with what is: asks for a placement of every session that should have a worker and has none,
 * or a dead one, and takes sessions that rest from dead owners. Repeating it does no harm: requests are one per
 * session, and the placer that serves one looks at the session again.
 *
 * A sweep costs by what changed: it reads the sessions of dead workers and those without one from an index. Of all
 * sessions it reads a page or two, so that what the index lacks is found within minutes, and entered there.
 */
export class Reconciler {
  readonly #resources: ReconcilerResources;
  #all: AsyncGenerator<SessionRecord[]> | undefined;

  constructor(resources: ReconcilerResources) {
    this.#resources = resources;
  }

  /** Resolves to how many sessions it asked a placement for. */
  async reconcile(): Promise<number> {
    const found = (await this.#ofDeadOwners()) + (await this.#withoutOwner());
    return found + (await this.#nextPages());
  }

  /** Looks for the sessions of workers that are gone. Resolves to how many sessions it asked a placement for. */
  async afterDeath(): Promise<number> {
    return (await this.#ofDeadOwners()) + (await this.#withoutOwner());
  }

  /** Reads all sessions, as after a start or after Redis was away. Enters them into the index. */
  async reconcileAll(): Promise<number> {
    let asked = 0;
    for await (const page of this.#resources.sessions.scan()) asked += await this.#compare(page);
    return asked;
  }

  async #ofDeadOwners(): Promise<number> {
    const { index, sessions, workers } = this.#resources;
    const owners = await index.owners();
    const alive = await workers.aliveIds(owners);
    let asked = 0;
    for (const worker of owners.filter((id) => !alive.has(id))) {
      const refs = await index.ownedBy(worker, MOST);
      if (refs.length === 0) await index.forgetOwner(worker);
      const records = await sessions.getMany(refs);
      const isOwned = new Set(records.filter((one) => one.worker === worker).map(nameOf));
      const stale = refs.filter((ref) => !isOwned.has(nameOf(ref)));
      await Promise.all(stale.map((ref) => index.reindex(ref, worker)));
      asked += await this.#settle(records);
    }
    return asked;
  }

  async #withoutOwner(): Promise<number> {
    const { index, sessions } = this.#resources;
    const refs = await index.unowned(MOST);
    const records = await sessions.getMany(refs);
    const wants = new Set(records.filter((one) => one.worker === undefined && needsWorker(one)).map(nameOf));
    const stale = refs.filter((ref) => !wants.has(nameOf(ref)));
    const workerOf = new Map(records.map((record) => [nameOf(record), record.worker]));
    await Promise.all(stale.map((ref) => index.reindex(ref, workerOf.get(nameOf(ref)))));
    return this.#settle(records);
  }

  async #nextPages(): Promise<number> {
    let asked = 0;
    for (let page = 0; page < PAGES; page += 1) {
      this.#all ??= this.#resources.sessions.scan();
      try {
        const { value, done } = await this.#all.next();
        if (done === true) {
          this.#all = undefined;
          return asked;
        }
        asked += await this.#compare(value);
      } catch (error) {
        this.#all = undefined;
        throw error;
      }
    }
    return asked;
  }

  async #compare(page: readonly SessionRecord[]): Promise<number> {
    const { index } = this.#resources;
    const owners = new Map(
      page.flatMap(({ worker, tenantId }) =>
        worker === undefined ? [] : [[`${worker} ${tenantId}`, { worker, tenantId }] as const],
      ),
    );
    await Promise.all([...owners.values()].map(({ worker, tenantId }) => index.noteOwner(worker, tenantId)));
    const tenantIds = new Set(
      page
        .filter(({ worker }) => worker === undefined)
        .filter(needsWorker)
        .map(({ tenantId }) => tenantId),
    );
    await Promise.all([...tenantIds].map((tenantId) => index.noteUnowned(tenantId)));
    await Promise.all(page.map((session) => index.reindex(session, session.worker)));
    return this.#settle(page);
  }

  /**
   * Frees resting sessions of dead owners, and asks for a placement of the sessions that need a worker. Reminds the
   * owners of sessions that are to be removed.
   */
  async #settle(sessions: readonly SessionRecord[]): Promise<number> {
    const { ownership, workers, queue } = this.#resources;
    const owners = new Set(sessions.flatMap(({ worker }) => worker ?? []));
    const alive = await workers.aliveIds([...owners]);
    const unserved = sessions.filter(({ worker }) => worker === undefined || !alive.has(worker));
    // The worker died after it wrote the status, and before it released the session.
    await Promise.all(
      unserved
        .filter((session) => !needsWorker(session))
        .flatMap((session) =>
          session.worker === undefined ? [] : [ownership.clearDead(session, session.worker)],
        ),
    );
    const requests = unserved.filter(needsWorkerNow).map(requestFor);
    // The owner does not know of the note if the process that wrote it died, or could not reach the owner.
    const toRemove = sessions.filter(
      (session) => session.removeBy !== undefined && !unserved.includes(session),
    );
    await queue.enqueueAll([...requests, ...toRemove.map(reminderOf)]);
    return requests.length;
  }
}

function nameOf({ tenantId, sessionId }: { tenantId: string; sessionId: string }): string {
  return `${tenantId}/${sessionId}`;
}

function reminderOf({ tenantId, sessionId }: SessionRecord): PlacementRequest {
  return { tenantId, sessionId, avoid: [], reason: 'restart' };
}

function requestFor({ tenantId, sessionId, worker }: SessionRecord): PlacementRequest {
  const need =
    worker === undefined
      ? { reason: 'restart' as const }
      : { reason: 'crash' as const, expectPrevious: worker };
  return { tenantId, sessionId, avoid: [], ...need };
}
