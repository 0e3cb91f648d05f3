import { LRUCache } from 'lru-cache';

interface Entry<T> {
  readonly part: CachePart<T>;
  readonly name: string;
  readonly value: T;
}

export interface SharedCacheOptions<T> {
  /** The maximum number of values; the maximum sum of the sizes if values have sizes. */
  readonly room: number;
  readonly sizeOf?: (value: T) => number;
  /** How long a value lives after it was set, to the second. Default: until its room is needed. */
  readonly lifeMs?: number;
  /** Whether reading a value restarts its lifetime. */
  readonly isRenewedByUse?: boolean;
}

/** At most one timer in this time, whatever the number of values, and none while no value is read. */
const CLOCK_MS = 1_000;

/**
 * A cache of one kind of value for all sessions of a process: one bound for all, and a part for each session. The least
 * recently used value is dropped first, so busy sessions get the room that idle ones do not need.
 */
export class SharedCache<T> {
  readonly #entries: LRUCache<string, Entry<T>>;
  #parts = 0;

  constructor({ room, sizeOf, lifeMs, isRenewedByUse = false }: SharedCacheOptions<T>) {
    this.#entries = new LRUCache<string, Entry<T>>({
      ...(sizeOf === undefined
        ? { max: room }
        : { maxSize: room, sizeCalculation: ({ value }) => sizeOf(value) }),
      ...(lifeMs === undefined ? {} : { ttl: lifeMs, ttlResolution: CLOCK_MS }),
      updateAgeOnGet: isRenewedByUse,
      dispose: ({ part, name }, _key, reason) => {
        if (reason !== 'set') part.forget(name);
      },
    });
  }

  /** How many values it holds. */
  get size(): number {
    return this.#entries.size;
  }

  /** Creates a part for a single session object. */
  part(): CachePart<T> {
    this.#parts += 1;
    return new CachePart(this.#entries, `${this.#parts}:`);
  }
}

/** The values of one session object, as a map. Any value may be gone at any time. */
export class CachePart<T> {
  readonly #entries: LRUCache<string, Entry<T>>;
  readonly #prefix: string;
  #names: Set<string> | undefined;
  #isEnded = false;

  /** Called by `SharedCache`. */
  constructor(entries: LRUCache<string, Entry<T>>, prefix: string) {
    this.#entries = entries;
    this.#prefix = prefix;
  }

  get(name: string): T | undefined {
    return this.#entries.get(this.#prefix + name)?.value;
  }

  set(name: string, value: T): void {
    if (this.#isEnded) return;
    const key = this.#prefix + name;
    this.#entries.set(key, { part: this, name, value });
    if (!this.#entries.has(key)) return;
    this.#names ??= new Set();
    this.#names.add(name);
  }

  *entries(): Generator<[name: string, value: T]> {
    for (const name of this.#names ?? []) {
      const value = this.get(name);
      if (value !== undefined) yield [name, value];
    }
  }

  delete(name: string): void {
    this.#entries.delete(this.#prefix + name);
  }

  /** Drops all its values. */
  clear(): void {
    for (const name of this.#names ?? []) this.#entries.delete(this.#prefix + name);
  }

  /** Drops all its values and accepts no more. */
  end(): void {
    this.#isEnded = true;
    this.clear();
  }

  /** The value has left. */
  forget(name: string): void {
    this.#names?.delete(name);
  }
}
