/** Estimated bytes that an entry takes besides its name and value: objects, references, the map's slot. */
const ENTRY_BYTES = 250;

interface Entry {
  readonly field: string;
  /**
   * One character for each byte. A string, since a small buffer is part of a larger one and would keep all of it in
   * memory. Undefined: it is known that nothing is stored.
   */
  readonly value: string | undefined;
  readonly bytes: number;
  readonly owner: SessionAuthCache;
}

/** The cached state of a field. */
export interface CachedField {
  readonly value: Buffer | undefined;
}

/**
 * Caches the stored Signal records of a process's sessions, unencrypted, so that a message does not read from Redis
 * what the message before it read or wrote. One bound in bytes applies to all sessions together. The least recently
 * used entries are evicted first, so that busy sessions get the room that idle ones do not need.
 */
export class AuthCache {
  readonly #maxBytes: number;
  /** Ordered by last use. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #sessions = 0;

  constructor(options: { maxBytes: number }) {
    this.#maxBytes = options.maxBytes;
  }

  /** Approximate size of the contents. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Returns a part of the cache that belongs to one session object alone. */
  forSession(): SessionAuthCache {
    this.#sessions += 1;
    return new SessionAuthCache(this, `${this.#sessions}:`);
  }

  /** For `SessionAuthCache` only, as are the methods below. */
  get(key: string): CachedField | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return { value: entry.value === undefined ? undefined : Buffer.from(entry.value, 'latin1') };
  }

  put(key: string, field: string, value: Buffer | undefined, owner: SessionAuthCache): void {
    this.remove(key);
    const bytes = ENTRY_BYTES + key.length + (value?.length ?? 0);
    this.#entries.set(key, { field, value: value?.toString('latin1'), bytes, owner });
    this.#bytes += bytes;
    // To reach its first entry, a map skips all entries deleted before it, which has a cost.
    if (this.#bytes <= this.#maxBytes) return;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break;
      this.remove(oldest);
      entry.owner.forget(entry.field);
    }
  }

  remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

/** The cached fields of one session object. */
export class SessionAuthCache {
  readonly #cache: AuthCache;
  readonly #prefix: string;
  readonly #fields = new Set<string>();

  constructor(cache: AuthCache, prefix: string) {
    this.#cache = cache;
    this.#prefix = prefix;
  }

  get(field: string): CachedField | undefined {
    return this.#cache.get(this.#prefix + field);
  }

  put(field: string, value: Buffer | undefined): void {
    this.#fields.add(field);
    this.#cache.put(this.#prefix + field, field, value, this);
  }

  delete(field: string): void {
    this.#fields.delete(field);
    this.#cache.remove(this.#prefix + field);
  }

  clear(): void {
    for (const field of this.#fields) this.#cache.remove(this.#prefix + field);
    this.#fields.clear();
  }

  /** Called when the cache has evicted the entry. */
  forget(field: string): void {
    this.#fields.delete(field);
  }
}
