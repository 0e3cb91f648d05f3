import type { WorkerRegistry } from '@wafleet/store';
import { planMove } from './policies/plan-move.js';
import type { PlacementQueue } from './queue.js';

/**
 * Evens out the loads of workers, slowly: asks to move a few open sessions of the most loaded worker to the least
 * loaded one, the longest idle sessions first. It does nothing while other placements are under way: they change the
 * loads, and sessions without a worker come first.
 */
export class Rebalancer {
  readonly #workers: WorkerRegistry;
  readonly #queue: PlacementQueue;

  constructor(resources: { workers: WorkerRegistry; queue: PlacementQueue }) {
    this.#workers = resources.workers;
    this.#queue = resources.queue;
  }

  /** Resolves to how many sessions it asked to move. */
  async rebalance(): Promise<number> {
    if (await this.#queue.isBusy()) return 0;
    const move = planMove(await this.#workers.list());
    if (move === undefined) return 0;
    const { from, to, count } = move;
    const requests = from.idlest.slice(0, count).map((session) => ({
      ...session,
      reason: 'rebalance' as const,
      expectPrevious: from.id,
      to: to.id,
      avoid: [],
    }));
    await this.#queue.enqueueAll(requests);
    return requests.length;
  }
}
