import type { EdgeRegistration, EdgeRegistry } from '@wafleet/store';
import { LRUCache } from 'lru-cache';

const CACHED_EDGES = 1_000;
const CACHE_MS = 2_000;

interface Answer {
  readonly registration: EdgeRegistration | undefined;
}

/** The other edges, with answers of Redis kept for 2 s, and for as long as Redis is out of reach after that. */
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

  /** Whether `find` answers without asking Redis, as it does for a while even of an edge that does not exist. */
  knows(edgeId: string): boolean {
    return this.#answers.has(edgeId);
  }

  /** Lets the next `find` ask Redis. */
  forget(edgeId: string): void {
    this.#answers.delete(edgeId);
  }

  /** Undefined when no edge of this id runs. Rejects when Redis is out of reach and was never asked about it. */
  async find(edgeId: string): Promise<EdgeRegistration | undefined> {
    return (await this.#answers.fetch(edgeId))?.registration;
  }
}
