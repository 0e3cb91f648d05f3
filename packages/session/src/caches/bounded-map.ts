/**
 * A map that holds a number of values at most: beyond that the one that was set the longest ago leaves. It takes memory
 * from the first value on, so each session can have one, which an LRU cache with its arrays of full length is too
 * large for.
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
