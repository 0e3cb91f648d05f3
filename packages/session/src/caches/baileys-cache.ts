import type { CachePartition } from '@wafleet/runtime';
import type { CacheStore } from '@whiskeysockets/baileys';

/**
 * A session's partition of a cache, with the cache interface of Baileys. Lifetime and bound are those of the whole
 * cache.
 */
export class BaileysCache implements CacheStore {
  readonly #partition: CachePartition<NonNullable<unknown>>;

  constructor(partition: CachePartition<NonNullable<unknown>>) {
    this.#partition = partition;
  }

  get<T>(key: string): T | undefined;
  get(key: string): unknown {
    return this.#partition.get(key);
  }

  set(key: string, value: unknown): void {
    if (value == null) this.#partition.delete(key);
    else this.#partition.set(key, value);
  }

  del(key: string): void {
    this.#partition.delete(key);
  }

  /** Clears the values of this session only. */
  flushAll(): void {
    this.#partition.clear();
  }
}
