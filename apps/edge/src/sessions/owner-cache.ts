import type { Ownership, SessionRef } from '@wafleet/store';
import { LRUCache } from 'lru-cache';

const CACHED_OWNERS = 50_000;
const CACHE_MS = 30_000;

/**
 * Caches which worker owns a session, for up to 30 s. An outdated answer costs one refused command: the worker answers
 * that it is not the owner, and the caller forgets the answer and asks again.
 */
export class OwnerCache {
  readonly #ownership: Ownership;
  readonly #owners = new LRUCache<string, string>({ max: CACHED_OWNERS, ttl: CACHE_MS });

  constructor(ownership: Ownership) {
    this.#ownership = ownership;
  }

  /** The worker incarnation that owns the session; undefined when none does. */
  async ownerOf(ref: SessionRef): Promise<string | undefined> {
    const remembered = this.#owners.get(keyOf(ref));
    if (remembered !== undefined) return remembered;

    const owner = (await this.#ownership.read(ref))?.worker;
    if (owner !== undefined) this.#owners.set(keyOf(ref), owner);
    return owner;
  }

  forget(ref: SessionRef): void {
    this.#owners.delete(keyOf(ref));
  }
}

function keyOf({ tenantId, sessionId }: SessionRef): string {
  return `${tenantId}/${sessionId}`;
}
