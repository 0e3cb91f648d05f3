import type { EngineProbe } from './engine-probe.js';

/** A library whose internals the edge uses. */
export type Library = 'engine.io' | 'socket.io' | 'ws';

/** Something that a library has but does not declare or document, and that the edge uses. */
export interface Internal {
  readonly library: Library;
  /** As in the library's sources: `<class>.<member>`, or a phrase for what is not a member. */
  readonly name: string;
  /** Whether it is there and works as the edge needs it. May use the probe, and leaves it usable unless it says so. */
  readonly isThere: (probe: EngineProbe) => boolean | Promise<boolean>;
}

/** The property of an object, declared or not; undefined for what is not an object. */
export function memberOf(value: unknown, name: string): unknown {
  return isObject(value) ? Reflect.get(value, name) : undefined;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Whether a property can be replaced by another object. Leaves it as it was. */
export function isReplaceable(holder: object, name: string): boolean {
  const original: unknown = Reflect.get(holder, name);
  const other = {};
  const isReplaced = Reflect.set(holder, name, other) && Reflect.get(holder, name) === other;
  return Reflect.set(holder, name, original) && isReplaced;
}
