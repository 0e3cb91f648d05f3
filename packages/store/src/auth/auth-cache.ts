/** What an entry costs beside its name and value: objects, references, the map's slot. An estimate. */
const ENTRY_BYTES = 250;

interface Entry {
  readonly field: string;
  /**
   * A character a byte. Small buffers are parts of larger ones, each of which would stay as a whole. Undefined: it is
   * known that nothing is stored.
   */
  readonly value: string | undefined;
  readonly bytes: number;
  readonly owner: SessionAuthCache;
}

/** What a cache knows of a field. */
export interface CachedField {
  readonly value: Buffer | undefined;
}

/**
 * The Signal records of a process's sessions as they are stored, in plain, so that a message costs Redis no reads of
 * what the message before it read or wrote. One bound in bytes for all sessions: what was not used for the longest
 * time leaves first, so busy sessions have what idle ones do not need.
 */
export class AuthCache {
  readonly #maxBytes: number;
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #sessions = 0;

  constructor(options: { maxBytes: number }) {
    this.#maxBytes = options.maxBytes;
  }

  /** How much it holds, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A part of it that is one session object's alone, whatever session that is of. */
  forSession(): SessionAuthCache {
    this.#sessions += 1;
    return new SessionAuthCache(this, `${this.#sessions}:`);
  }

  /** Of a `SessionAuthCache`, as the rest of the methods are. */
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
    // To begin with the first entry, a map passes by all that were deleted before it: not for nothing.
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

  /** The whole cache made room. */
  forget(field: string): void {
    this.#fields.delete(field);
  }
}
