import { LRUCache } from 'lru-cache';

interface Entry<T> {
  readonly part: CachePart<T>;
  readonly name: string;
  readonly value: T;
}

export interface SharedCacheOptions<T> {
  /** How many values there is room for, or, where values have sizes, for which sum of them. */
  readonly room: number;
  readonly sizeOf?: (value: T) => number;
  /** How long a value lives after it was set, to the second; until there is no room unless told. */
  readonly lifeMs?: number;
  /** Whether a value that is read lives on from then. */
  readonly isRenewedByUse?: boolean;
}

/** One timer in this time, whatever the number of values, and none while nothing is asked for. */
const CLOCK_MS = 1_000;

/**
 * What the sessions of a process remember of one kind: one bound for all, and a part for each. What was not used for
 * the longest time leaves first, so busy sessions have the room that idle ones do not need.
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

  /** A part that is one session object's alone, whatever session that is of. */
  part(): CachePart<T> {
    this.#parts += 1;
    return new CachePart(this.#entries, `${this.#parts}:`);
  }
}

/** The values of one session object, as a map; any of them may be gone at any time. */
export class CachePart<T> {
  readonly #entries: LRUCache<string, Entry<T>>;
  readonly #prefix: string;
  #names: Set<string> | undefined;
  #isEnded = false;

  /** Of a `SharedCache`. */
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

  /** Gives back the room of all its values. */
  clear(): void {
    for (const name of this.#names ?? []) this.#entries.delete(this.#prefix + name);
  }

  /** Gives its room back for good. */
  end(): void {
    this.#isEnded = true;
    this.clear();
  }

  /** The value has left. */
  forget(name: string): void {
    this.#names?.delete(name);
  }
}
