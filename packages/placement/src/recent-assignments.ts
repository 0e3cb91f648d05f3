import type { WorkerState } from '@wafleet/store';

/**
 * Adds to each worker's reported load what this process assigned to it since that report. Without it all
 * placements between two heartbeats would see the same loads, and could overfill a worker.
 */
export class RecentAssignments {
  readonly #assigned = new Map<string, { readonly reportedAt: number; readonly count: number }>();

  record(worker: WorkerState): void {
    const { count } = this.#since(worker);
    this.#assigned.set(worker.id, { reportedAt: worker.at, count: count + 1 });
  }

  addTo(workers: readonly WorkerState[]): WorkerState[] {
    const known = new Set(workers.map(({ id }) => id));
    for (const id of this.#assigned.keys()) if (!known.has(id)) this.#assigned.delete(id);
    return workers.map((worker) => ({ ...worker, sessions: worker.sessions + this.#since(worker).count }));
  }

  #since(worker: WorkerState): { count: number } {
    const entry = this.#assigned.get(worker.id);
    return entry !== undefined && entry.reportedAt >= worker.at ? entry : { count: 0 };
  }
}
