/**
 * The encoding of credentials before they are sealed: a byte that names the form, then the value. Bytes are stored
 * unchanged; they are most of what changes. Everything else is JSON, with bytes inside as {"$bytes": base64}. Other
 * keys that begin with a dollar get a second one, so that no other value is mistaken for bytes.
 *
 * 64-bit integers of protobuf messages become numbers, or decimal strings if a number would lose digits; protobuf
 * accepts both. Messages are decoded to plain objects with the same fields, which is what Baileys works with.
 */

const RAW = 0;
const JSON_TEXT = 1;

/** A 64-bit integer as protobufjs represents it. */
interface LongInteger {
  readonly low: number;
  readonly high: number;
  readonly unsigned: boolean;
  toString(): string;
}

function isLongInteger(value: object): value is LongInteger {
  // The mark is on the prototype, so a stored object's own key of that name does not count.
  return '__isLong__' in value && !Object.hasOwn(value, '__isLong__');
}

function fromLongInteger(value: LongInteger): number | string {
  const number = Number(value.toString());
  return Number.isSafeInteger(number) ? number : value.toString();
}

/**
 * Returns the object with changed keys and fields, or the same object if nothing changes, as in most Signal records.
 */
function changed(
  object: object,
  keyOf: (key: string) => string,
  fieldOf: (field: unknown) => unknown,
): object {
  const entries: [string, unknown][] = Object.entries(object);
  let isChanged = false;
  for (const entry of entries) {
    const [key, field] = entry;
    entry[0] = keyOf(key);
    entry[1] = fieldOf(field);
    isChanged ||= entry[0] !== key || entry[1] !== field;
  }
  return isChanged ? Object.fromEntries(entries) : object;
}

const escaped = (key: string) => (key.startsWith('$') ? `$${key}` : key);
const unescaped = (key: string) => (key.startsWith('$$') ? key.slice(1) : key);

function toPlain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) {
    // Not copied: the bytes of a message may be many megabytes.
    return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64') };
  }
  if (Array.isArray(value)) return value.map(toPlain);
  if (isLongInteger(value)) return fromLongInteger(value);
  const plain = changed(value, escaped, toPlain);
  // A protobuf message has its own JSON form, which differs; a copy of its fields has not.
  return plain === value && 'toJSON' in plain ? { ...plain } : plain;
}

function fromPlain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(fromPlain);
  if ('$bytes' in value && typeof value.$bytes === 'string') return Buffer.from(value.$bytes, 'base64');
  return changed(value, unescaped, fromPlain);
}

export function encodeAuthValue(value: unknown): Buffer {
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.of(RAW), value]);
  const text = JSON.stringify(toPlain(value));
  const encoded = Buffer.allocUnsafe(1 + Buffer.byteLength(text));
  encoded[0] = JSON_TEXT;
  encoded.write(text, 1);
  return encoded;
}

/** The result may share memory with the argument. */
export function decodeAuthValue(encoded: Buffer): unknown {
  if (encoded[0] === RAW) return encoded.subarray(1);
  const text = encoded.toString('utf8', 1);
  const value: unknown = JSON.parse(text);
  // Without such a key there is nothing to decode.
  return text.includes('"$') ? fromPlain(value) : value;
}
