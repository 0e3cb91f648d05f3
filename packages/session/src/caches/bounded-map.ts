/**
 * A map with a maximum number of values. Beyond it, the value that was set the longest ago is dropped. It allocates
 * nothing before the first value, so each session can have one.
 *
 * Unlike a partition of a PartitionedLru, it has a bound of its own: another session's load cannot evict its values. An
 * LRU cache for each session would be too large: it allocates arrays of full length.
 */
export class BoundedMap<V> {
  readonly #max: number;
  #values: Map<string, V> | undefined;

  /** @param max how many values it holds, at least one. */
  constructor(max: number) {
    this.#max = max;
  }

  get(name: string): V | undefined {
    return this.#values?.get(name);
  }

  /** A value that is set again counts as new. */
  set(name: string, value: V): void {
    this.#values ??= new Map();
    const values = this.#values;
    values.delete(name);
    values.set(name, value);
    const [oldest] = values.keys();
    if (values.size > this.#max && oldest !== undefined) values.delete(oldest);
  }
}
