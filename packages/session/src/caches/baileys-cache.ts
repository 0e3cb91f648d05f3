import type { CacheStore } from '@whiskeysockets/baileys';
import type { CachePart } from './shared-cache.js';

/**
 * A session's part of a shared cache, with the cache interface of Baileys. Lifetime and bound are those of the shared
 * cache.
 */
export class BaileysCache implements CacheStore {
  readonly #part: CachePart<unknown>;

  constructor(part: CachePart<unknown>) {
    this.#part = part;
  }

  get<T>(key: string): T | undefined;
  get(key: string): unknown {
    return this.#part.get(key);
  }

  set(key: string, value: unknown): void {
    this.#part.set(key, value);
  }

  del(key: string): void {
    this.#part.delete(key);
  }

  /** Clears the values of this session only. */
  flushAll(): void {
    this.#part.clear();
  }
}
