/**
 * One object that is not a Set, or a Set of several different ones. Most objects are alone and need no Set, which saves
 * memory.
 */
export type OneOrMore<T extends object> = T | Set<T>;

/** Adds an object to a key of the map, unless it is there. */
export function addOne<K, T extends object>(map: Map<K, OneOrMore<T>>, key: K, one: T): void {
  const present = map.get(key);
  if (present === undefined) map.set(key, one);
  else if (present instanceof Set) present.add(one);
  else if (present !== one) map.set(key, new Set([present, one]));
}

/** Removes an object from a key of the map. Deletes a key with nothing left. */
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
