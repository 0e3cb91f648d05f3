import type { WorkerRegistry } from '@wafleet/store';

/**
 * Notices when sessions may have lost their worker, so that they are looked for at once and not every second.
 *
 * It remembers the workers it has seen, in memory: the first look, of which nothing is known, always tells to
 * search, so a placer that starts anew misses nothing. An index of sessions by owner in Redis would save the
 * search, but could not be written in one step with a claim: the two stand in different slots of a Redis Cluster.
 */
export class WorkerWatch {
  readonly #workers: WorkerRegistry;
  #seen: ReadonlySet<string> | undefined;

  constructor(workers: WorkerRegistry) {
    this.#workers = workers;
  }

  /**
   * Calls `search` when a worker that was seen before is gone, when one is giving its sessions away, and at the
   * first look. A search that fails is due again at the next look.
   */
  async look(search: () => Promise<unknown>): Promise<void> {
    const listed = await this.#workers.list();
    const before = this.#seen;
    const alive = await this.#workers.aliveIds([...(before ?? [])]);
    const isSomeGone = before === undefined || alive.size < before.size;
    if (isSomeGone || listed.some(({ draining }) => draining)) await search();
    this.#seen = new Set([...alive, ...listed.map(({ id }) => id)]);
  }
}
