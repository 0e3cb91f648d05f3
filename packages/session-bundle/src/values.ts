/** An object as JSON has it. */
export type Fields = Readonly<Record<string, unknown>>;

/** Returns undefined for anything that is not an object with names. */
export function asFields(value: unknown): Fields | undefined {
  return isFields(value) ? value : undefined;
}

function isFields(value: unknown): value is Fields {
  const isObject = typeof value === 'object' && value !== null;
  return isObject && !Array.isArray(value) && !(value instanceof Uint8Array);
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/**
 * Bytes, or their base64, as protobuf messages have them in JSON. Undefined for anything else.
 * @param lengths the lengths that they may have. Default: any.
 */
export function asBytes(value: unknown, ...lengths: readonly number[]): Buffer | undefined {
  const bytes =
    value instanceof Uint8Array
      ? Buffer.from(value)
      : typeof value === 'string' && BASE64.test(value)
        ? Buffer.from(value, 'base64')
        : undefined;
  if (bytes === undefined || (lengths.length > 0 && !lengths.includes(bytes.length))) return undefined;
  return bytes;
}

/** A public key of 32 bytes. A leading 0x05, which Signal adds, is removed. Undefined for anything else. */
export function asPublicKey(value: unknown): Buffer | undefined {
  const bytes = asBytes(value, 32, 33);
  if (bytes?.length !== 33) return bytes;
  return bytes[0] === 5 ? bytes.subarray(1) : undefined;
}

/** A safe integer from a number, a decimal text, or a 64-bit integer of protobufjs. Undefined for anything else. */
export function asInteger(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value === 'string') return /^-?\d{1,16}$/.test(value) ? asInteger(Number(value)) : undefined;
  const { low, high } = asFields(value) ?? {};
  if (typeof low !== 'number' || typeof high !== 'number') return undefined;
  return asInteger(high * 2 ** 32 + (low >>> 0));
}

/** A counter: an integer from 0 on. Undefined for anything else. */
export function asCount(value: unknown): number | undefined {
  const integer = asInteger(value);
  return integer !== undefined && integer >= 0 ? integer : undefined;
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
