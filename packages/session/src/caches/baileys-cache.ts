import type { CacheStore } from '@whiskeysockets/baileys';
import type { CachePart } from './shared-cache.js';

/** A session's part of a cache in the form in which Baileys takes it. Its life and bound are the whole cache's. */
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

  /** Of this session; the others keep theirs. */
  flushAll(): void {
    this.#part.clear();
  }
}
