/** One thing that is no Set, or several different ones. One has no set of its own: most are alone, so memory is saved. */
export type OneOrMore<T extends object> = T | Set<T>;

/** Adds one to what the map has under the key, unless it is there. */
export function addOne<K, T extends object>(map: Map<K, OneOrMore<T>>, key: K, one: T): void {
  const present = map.get(key);
  if (present === undefined) map.set(key, one);
  else if (present instanceof Set) present.add(one);
  else if (present !== one) map.set(key, new Set([present, one]));
}

/** Takes one out of what the map has under the key. A key with nothing left is deleted. */
export function deleteOne<K, T extends object>(map: Map<K, OneOrMore<T>>, key: K, one: T): void {
  const present = map.get(key);
  if (present instanceof Set) present.delete(one);
  if (present === one || (present instanceof Set && present.size === 0)) map.delete(key);
}

export function hasOne<T extends object>(present: OneOrMore<T>, one: T): boolean {
  return present instanceof Set ? present.has(one) : present === one;
}

export function forEachOne<T extends object>(present: OneOrMore<T>, action: (one: T) => void): void {
  if (present instanceof Set) for (const one of present) action(one);
  else action(present);
}
