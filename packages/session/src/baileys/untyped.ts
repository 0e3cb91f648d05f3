/** Access to values whose types TypeScript does not know. */

export function isHolder(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** Returns a property, own or inherited. Undefined if there is none, or if `holder` cannot have one. */
export function get(holder: unknown, name: string | number): unknown {
  return isHolder(holder) ? Reflect.get(holder, name) : undefined;
}

/** Calls a method. @throws {TypeError} if there is none, and its own errors. */
export function call(holder: unknown, name: string, ...args: unknown[]): unknown {
  const method = get(holder, name);
  if (typeof method !== 'function') throw new TypeError(`${name} is not a function`);
  return Reflect.apply(method, holder, args);
}

/** Creates an instance of a class. @throws {TypeError} if it is none, and its own errors. */
export function construct(type: unknown, ...args: unknown[]): unknown {
  if (typeof type !== 'function') throw new TypeError('a class is missing');
  return Reflect.construct(type, args);
}
