import type { EdgeRegistration, EdgeRegistry } from '@wafleet/store';
import { LRUCache } from 'lru-cache';

const CACHED_EDGES = 1_000;
const CACHE_MS = 2_000;

interface Answer {
  readonly registration: EdgeRegistration | undefined;
}

/** The other edges. Caches answers of Redis for 2 s, and after that for as long as Redis is out of reach. */
export class PeerDirectory {
  readonly #answers: LRUCache<string, Answer>;

  constructor(registry: Pick<EdgeRegistry, 'find'>) {
    this.#answers = new LRUCache({
      max: CACHED_EDGES,
      ttl: CACHE_MS,
      allowStaleOnFetchRejection: true,
      noDeleteOnFetchRejection: true,
      fetchMethod: async (edgeId) => ({ registration: await registry.find(edgeId) }),
    });
  }

  /** Whether `find` answers without asking Redis. It does so for a while even for an edge that does not exist. */
  knows(edgeId: string): boolean {
    return this.#answers.has(edgeId);
  }

  /** Makes the next `find` ask Redis. */
  forget(edgeId: string): void {
    this.#answers.delete(edgeId);
  }

  /** Returns undefined if no edge of this id runs. Rejects if Redis is out of reach and was never asked about it. */
  async find(edgeId: string): Promise<EdgeRegistration | undefined> {
    return (await this.#answers.fetch(edgeId))?.registration;
  }
}
