import { isSecretField } from './secret-fields.js';

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [field: string]: JsonValue;
}

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

function fromObject(value: object): JsonObject {
  // A proto instance holds an empty list for every repeated field that was never set.
  const dropEmptyLists = !isPlain(value);
  const result: JsonObject = {};
  for (const [field, inner] of Object.entries(value)) {
    if (isSecretField(field)) continue;
    if (dropEmptyLists && Array.isArray(inner) && inner.length === 0) continue;
    const normalised = normalise(inner);
    if (normalised !== undefined) result[field] = normalised;
  }
  return result;
}

/**
 * Turns whatever Baileys hands out into JSON, the same way for every event source: 64-bit integers become
 * numbers where these are exact and decimal strings otherwise, bytes base64, dates ISO 8601, proto instances
 * plain objects with numeric enums and only the fields that were set. Secret fields, functions and undefined
 * are left out. `proto.Message.fromObject` restores a message's content from the result, media keys included.
 * Undefined for a value that has no JSON form.
 */
export function normalise(value: unknown): JsonValue | undefined {
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
  if (Array.isArray(value)) return value.map((item) => normalise(item) ?? null);
  if (isLong(value)) return fromLong(value);
  return fromObject(value);
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The normalised form of an object; empty for anything else. */
export function normaliseObject(value: object | null | undefined): JsonObject {
  const normalised = normalise(value);
  return isJsonObject(normalised) ? normalised : {};
}
