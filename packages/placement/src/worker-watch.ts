import type { Logger } from '@wafleet/runtime';
import type { WorkerFailureDetector, WorkerRegistry } from '@wafleet/store';
import { isAlive } from './policies/alive.js';
import { hasRoom } from './policies/has-room.js';

/**
 * Notices when sessions may have lost their worker, so that they are looked for at once and not every second. Also
 * notices when workers have room for sessions that wait.
 *
 * It remembers the workers it has seen, in memory. After the first look, when nothing is known yet, all sessions are
 * searched, so a placer that restarts misses nothing. After a death only the sessions of dead workers are searched, by
 * their index. A worker that drains asks for placements itself.
 */
export class WorkerWatch {
  readonly #workers: WorkerRegistry;
  readonly #deaths: WorkerFailureDetector;
  readonly #logger: Logger;
  #seen: ReadonlySet<string> | undefined;

  constructor(resources: { workers: WorkerRegistry; deaths: WorkerFailureDetector; logger: Logger }) {
    this.#workers = resources.workers;
    this.#deaths = resources.deaths;
    this.#logger = resources.logger;
  }

  /**
   * Calls `search.all` at the first look, and `search.ofDead` when a worker that was seen before is gone. A search that
   * fails is due again at the next look. Calls `search.hurry` with how many sessions the workers can take.
   */
  async look(search: {
    all: () => Promise<unknown>;
    ofDead: () => Promise<unknown>;
    hurry: (room: number) => Promise<unknown>;
  }): Promise<void> {
    if (await this.#workers.isSettling()) {
      // No worker counts as dead now. The search that is due afterwards finds what there is to find.
      this.#seen = undefined;
      return;
    }
    const listed = await this.#workers.list();
    for (const worker of await this.#deaths.look(listed)) {
      this.#logger.warn({ workerId: worker }, 'a worker counts as dead: its connection to Redis has ended');
    }
    const before = this.#seen;
    const known = new Set([...(before ?? []), ...listed.map(({ id }) => id)]);
    const alive = await this.#workers.aliveIds([...known]);
    if (before === undefined) await search.all();
    else if (alive.size < known.size) await search.ofDead();
    this.#seen = alive;
    const takers = listed.filter((worker) => isAlive(worker) && hasRoom(worker));
    await search.hurry(takers.reduce((room, { capacity, sessions }) => room + capacity - sessions, 0));
  }
}
