import type { Logger } from '@wafleet/runtime';
import type { DeathWatch, WorkerRegistry } from '@wafleet/store';

/**
 * Notices when sessions may have lost their worker, so that they are looked for at once and not every second.
 *
 * It remembers the workers it has seen, in memory: the first look, of which nothing is known, always tells to
 * search, so a placer that starts anew misses nothing. A search reads all sessions, 5,000 of them in a quarter of a
 * second. An index of sessions by owner in Redis would save it, but could not be written in one step with a claim:
 * the two stand in different slots of a Redis Cluster.
 */
export class WorkerWatch {
  readonly #workers: WorkerRegistry;
  readonly #deaths: DeathWatch;
  readonly #logger: Logger;
  #seen: ReadonlySet<string> | undefined;

  constructor(resources: { workers: WorkerRegistry; deaths: DeathWatch; logger: Logger }) {
    this.#workers = resources.workers;
    this.#deaths = resources.deaths;
    this.#logger = resources.logger;
  }

  /**
   * Calls `search` when a worker that was seen before is gone, when one is giving its sessions away, and at the
   * first look. A search that fails is due again at the next look.
   */
  async look(search: () => Promise<unknown>): Promise<void> {
    if (await this.#workers.isSettling()) {
      // Nobody counts as dead now; what there is to find is found by the search that is due after it.
      this.#seen = undefined;
      return;
    }
    const listed = await this.#workers.list();
    for (const worker of await this.#deaths.look(listed)) {
      this.#logger.warn({ worker }, 'a worker counts as dead: its connection to Redis has ended');
    }
    const before = this.#seen;
    const known = new Set([...(before ?? []), ...listed.map(({ id }) => id)]);
    const alive = await this.#workers.aliveIds([...known]);
    const isSomeGone = before === undefined || alive.size < known.size;
    if (isSomeGone || listed.some(({ draining }) => draining)) await search();
    this.#seen = alive;
  }
}
