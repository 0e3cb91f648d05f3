import { LRUCache } from 'lru-cache';

export interface PartitionedLruOptions<V> {
  /** The maximum number of values of all partitions together; the maximum sum of their sizes if values have sizes. */
  readonly max: number;
  /** The size of a value, a positive integer. A value that is larger than `max` is not kept. */
  readonly sizeOf?: (value: V, key: string) => number;
  /** How long a value lives after it was set, ms (1 s resolution). Default: until evicted. */
  readonly ttlMs?: number;
  /** Whether reading a value restarts its lifetime. Default: false. */
  readonly isRenewedByUse?: boolean;
}

/** The place of a value in its partition. The entries themselves are the keys of the LRU, so no key is held twice. */
interface Entry {
  readonly key: string;
  /** All entries of the partition. */
  readonly siblings: Map<string, Entry>;
}

/** At most one timer in this time, whatever the number of values, and none while no value is read. */
const CLOCK_MS = 1_000;

/**
 * A cache of one kind of value for all owners of a process, such as its sessions: one bound for all, and a partition for
 * each owner. The least recently used value of all is evicted first, so busy owners get the room that idle ones do not
 * need. A partition without values costs one small object, so each session can have one of each kind.
 */
export class PartitionedLru<V extends NonNullable<unknown>> {
  readonly #values: LRUCache<Entry, V>;

  constructor({ max, sizeOf, ttlMs, isRenewedByUse = false }: PartitionedLruOptions<V>) {
    this.#values = new LRUCache<Entry, V>({
      ...(sizeOf === undefined
        ? { max }
        : { maxSize: max, sizeCalculation: (value, { key }) => sizeOf(value, key) }),
      ...(ttlMs === undefined ? {} : { ttl: ttlMs, ttlResolution: CLOCK_MS }),
      updateAgeOnGet: isRenewedByUse,
      dispose: (_value, { key, siblings }, reason) => {
        if (reason !== 'set') siblings.delete(key);
      },
    });
  }

  /** How many values it holds. */
  get size(): number {
    return this.#values.size;
  }

  /** The sum of the sizes of its values; 0 if values have no sizes. */
  get totalSize(): number {
    return this.#values.calculatedSize;
  }

  /** Creates the partition of a single owner. */
  createPartition(): CachePartition<V> {
    return new CachePartition(this.#values);
  }
}

/** The values of one owner, as a map. Any value may be gone at any time. */
export class CachePartition<V extends NonNullable<unknown>> {
  readonly #values: LRUCache<Entry, V>;
  #entries: Map<string, Entry> | undefined;
  #isClosed = false;

  /** Called by `PartitionedLru`. */
  constructor(values: LRUCache<Entry, V>) {
    this.#values = values;
  }

  get(key: string): V | undefined {
    const entry = this.#entries?.get(key);
    return entry === undefined ? undefined : this.#values.get(entry);
  }

  set(key: string, value: V): void {
    if (this.#isClosed) return;
    this.#entries ??= new Map();
    const entries = this.#entries;
    const entry = entries.get(key) ?? { key, siblings: entries };
    this.#values.set(entry, value);
    // A value that is too large is not kept, and neither is the one before it.
    if (this.#values.has(entry)) entries.set(key, entry);
    else entries.delete(key);
  }

  /** All values, the most recently added key last. Counts as a use of each. */
  *entries(): Generator<[key: string, value: V]> {
    for (const [key, entry] of this.#entries ?? []) {
      const value = this.#values.get(entry);
      if (value !== undefined) yield [key, value];
    }
  }

  delete(key: string): void {
    const entry = this.#entries?.get(key);
    if (entry !== undefined) this.#values.delete(entry);
  }

  /** Drops all its values at once. */
  clear(): void {
    for (const entry of this.#entries?.values() ?? []) this.#values.delete(entry);
  }

  /** Drops all its values and accepts no more. */
  close(): void {
    this.#isClosed = true;
    this.clear();
    this.#entries = undefined;
  }
}
