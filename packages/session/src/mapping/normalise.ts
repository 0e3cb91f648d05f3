import { isWithheld } from './secret-fields.js';

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [field: string]: JsonValue;
}

/** Deeper than any message that a person sends. Quotes that are nested deeper lose the innermost ones. */
const MAX_DEPTH = 64;

interface LongLike {
  readonly low: number;
  readonly high: number;
  readonly unsigned: boolean;
}

/** A 64-bit integer of protobuf: an instance of Long, or what is left of one that was spread into an object. */
function isLong(value: object): value is LongLike {
  return (
    'low' in value &&
    'high' in value &&
    'unsigned' in value &&
    typeof value.low === 'number' &&
    typeof value.high === 'number' &&
    typeof value.unsigned === 'boolean'
  );
}

function fromBigInt(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function fromLong({ low, high, unsigned }: LongLike): number | string {
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return fromBigInt(unsigned ? bits : BigInt.asIntN(64, bits));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function fromObject(
  value: object,
  around: object[],
  isWanted: (field: string, inner: unknown) => boolean = () => true,
): JsonObject {
  // A proto instance holds an empty list for every repeated field that was never set.
  const dropEmptyLists = !isPlain(value);
  const result: JsonObject = {};
  for (const [field, inner] of Object.entries(value)) {
    if (isWithheld(field, inner) || field === '__proto__' || !isWanted(field, inner)) continue;
    if (dropEmptyLists && Array.isArray(inner) && inner.length === 0) continue;
    const normalised = walk(inner, around);
    if (normalised !== undefined && !heldSecretsOnly(inner, normalised)) result[field] = normalised;
  }
  return result;
}

/** Whether nothing is left of an object because all that it had was withheld. */
function heldSecretsOnly(value: unknown, normalised: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (!isJsonObject(normalised)) return false;
  const isEmpty = Object.values(normalised).every((inner) => Array.isArray(inner) && inner.length === 0);
  return isEmpty && Object.entries(value).some(([field, inner]) => isWithheld(field, inner));
}

/** @param around the objects and lists that contain the value, outermost first. Unchanged when this returns. */
function walk(value: unknown, around: object[]): JsonValue | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'bigint':
      return fromBigInt(value);
    case 'object':
      break;
    default:
      return undefined;
  }
  if (value === null) return null;
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  if (isLong(value)) return fromLong(value);
  if (around.length >= MAX_DEPTH || around.includes(value)) return undefined;
  around.push(value);
  const normalised = Array.isArray(value)
    ? value.map((item) => walk(item, around) ?? null)
    : fromObject(value, around);
  around.pop();
  return normalised;
}

/**
 * Turns any value from Baileys into JSON, the same way for every event source: 64-bit integers become numbers where
 * these are exact and decimal strings otherwise, bytes base64, dates ISO 8601, proto instances plain objects with
 * numeric enums and only the fields that were set. Secret fields, functions and undefined are left out. So are objects
 * that had nothing but secrets, circular references, and values deeper than 64 levels. `proto.Message.fromObject`
 * restores a message's content from the result, media keys included. A normalised value stays unchanged. Returns
 * undefined if the value has no JSON form. Never throws.
 */
export function normalise(value: unknown): JsonValue | undefined {
  return walk(value, []);
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The normalised form of an object; empty for anything else.
 * @param isWanted which of the object's own fields are included. Default: all.
 */
export function normaliseObject(
  value: object | null | undefined,
  isWanted?: (field: string, inner: unknown) => boolean,
): JsonObject {
  return value === null || value === undefined ? {} : fromObject(value, [value], isWanted);
}
