import { type CachePartition, PartitionedLru } from '@wafleet/runtime';

/** Estimated bytes that an entry takes besides its name and value: objects, references, the slots of two maps. */
const ENTRY_BYTES = 280;

/** It is known that nothing is stored. */
const ABSENT = Symbol('absent');

/** A string has one character for each byte. A small buffer is part of a larger one and would keep all of it in memory. */
type CachedValue = string | typeof ABSENT;

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
  readonly #fields: PartitionedLru<CachedValue>;

  constructor(options: { maxBytes: number }) {
    this.#fields = new PartitionedLru({
      max: options.maxBytes,
      sizeOf: (value, field) => ENTRY_BYTES + field.length + (value === ABSENT ? 0 : value.length),
    });
  }

  /** Approximate size of the contents. */
  get bytes(): number {
    return this.#fields.totalSize;
  }

  /** Returns a part of the cache that belongs to one session object alone. */
  forSession(): SessionAuthCache {
    return new SessionAuthCache(this.#fields.createPartition());
  }
}

/** The cached fields of one session object. */
export class SessionAuthCache {
  readonly #fields: CachePartition<CachedValue>;

  /** Called by `AuthCache`. */
  constructor(fields: CachePartition<CachedValue>) {
    this.#fields = fields;
  }

  get(field: string): CachedField | undefined {
    const cached = this.#fields.get(field);
    if (cached === undefined) return undefined;
    return { value: cached === ABSENT ? undefined : Buffer.from(cached, 'latin1') };
  }

  /** @param value undefined if it is known that nothing is stored. */
  put(field: string, value: Buffer | undefined): void {
    this.#fields.set(field, value?.toString('latin1') ?? ABSENT);
  }

  delete(field: string): void {
    this.#fields.delete(field);
  }

  clear(): void {
    this.#fields.clear();
  }

  /** Drops its fields and accepts no more. */
  close(): void {
    this.#fields.close();
  }
}
