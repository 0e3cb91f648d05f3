import type { WorkerState } from '@wafleet/store';

interface Assignments {
  /** When the worker's latest heartbeat, as far as this process saw it, was made. */
  reportedAt: number;
  /** How many sessions the worker reported since then. */
  reportedSessions: number | undefined;
  /** Assigned since the worker last reported its sessions. */
  recent: number;
  /** About to be assigned. */
  underWay: number;
}

/** An assignment that is under way. One of the two methods is called, once. */
export interface Assigning {
  /** @param sessions how many sessions the worker reported in its answer; undefined if it reported none. */
  succeeded(sessions: number | undefined): void;
  failed(): void;
}

/**
 * The workers' loads as this process knows them best: what each worker reported last, in a heartbeat or in answer to an
 * assignment, and what is about to be assigned to it. Heartbeats alone are seconds old: all placements in between,
 * those of other placers too, would see the same loads and go to the same worker.
 */
export class RecentAssignments {
  readonly #workers = new Map<string, Assignments>();

  begin({ id, at }: WorkerState): Assigning {
    const assignments = this.#of(id, at);
    assignments.underWay += 1;
    return {
      succeeded: (sessions) => {
        assignments.underWay -= 1;
        assignments.reportedSessions = sessions ?? assignments.reportedSessions;
        assignments.recent = sessions === undefined ? assignments.recent + 1 : 0;
      },
      failed: () => {
        assignments.underWay -= 1;
      },
    };
  }

  addTo(workers: readonly WorkerState[]): WorkerState[] {
    const known = new Set(workers.map(({ id }) => id));
    for (const id of this.#workers.keys()) if (!known.has(id)) this.#workers.delete(id);
    return workers.map((worker) => {
      const { reportedSessions, recent, underWay } = this.#of(worker.id, worker.at);
      return { ...worker, sessions: (reportedSessions ?? worker.sessions) + recent + underWay };
    });
  }

  #of(id: string, reportedAt: number): Assignments {
    const assignments = this.#workers.get(id) ?? {
      reportedAt,
      reportedSessions: undefined,
      recent: 0,
      underWay: 0,
    };
    if (reportedAt > assignments.reportedAt) {
      assignments.reportedAt = reportedAt;
      assignments.reportedSessions = undefined;
      assignments.recent = 0;
    }
    this.#workers.set(id, assignments);
    return assignments;
  }
}
