import type { CacheStore } from '@whiskeysockets/baileys';

interface Entry {
  readonly value: unknown;
  readonly expiresAt: number;
}

/**
 * A cache for Baileys' counters and lists: at most `maxEntries`, the oldest leave first, each lives `lifeMs` from
 * its last write. It belongs to one session and outlives its sockets, so that a reconnect does not start the
 * count of a message's retries anew. It holds no timer; what expired leaves when it is read or pushed out.
 */
export class BoundedCache implements CacheStore {
  readonly #entries = new Map<string, Entry>();
  readonly #maxEntries: number;
  readonly #lifeMs: number;

  constructor(options: { maxEntries: number; lifeMs: number }) {
    this.#maxEntries = options.maxEntries;
    this.#lifeMs = options.lifeMs;
  }

  get<T>(key: string): T | undefined;
  get(key: string): unknown {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAt > Date.now()) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, value: unknown): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, expiresAt: Date.now() + this.#lifeMs });
    if (this.#entries.size <= this.#maxEntries) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }

  del(key: string): void {
    this.#entries.delete(key);
  }

  flushAll(): void {
    this.#entries.clear();
  }
}
