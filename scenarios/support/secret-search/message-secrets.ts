import type { Secret } from './secret-index.js';

/** WhatsApp's `Message.messageContextInfo.messageSecret`, by the numbers of these fields. */
const MESSAGE_CONTEXT_INFO = 35;
const MESSAGE_SECRET = 3;
const SECRET_BYTES = 32;
const DEEPEST = 6;

/** How protobuf writes a field: as a number, as bytes with their length, or in eight or four bytes. */
const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/**
 * The secrets in an encoded WhatsApp message, and in messages nested in it. The keys of polls and reactions are derived
 * from them. Padding behind the message is ignored.
 */
export function* messageSecrets(message: Buffer, owner: string): Generator<Secret> {
  for (const bytes of secretsIn(message, 0, false)) {
    yield { name: 'messageSecret', owner, kind: 'credential', bytes };
  }
}

function* secretsIn(message: Buffer, depth: number, isContextInfo: boolean): Generator<Buffer> {
  for (const { number, bytes } of fieldsOf(message)) {
    if (isContextInfo && number === MESSAGE_SECRET && bytes.length === SECRET_BYTES) yield bytes;
    else if (depth < DEEPEST) yield* secretsIn(bytes, depth + 1, number === MESSAGE_CONTEXT_INFO);
  }
}

/** The fields that hold bytes, as far as this parses as a message. */
function* fieldsOf(message: Buffer): Generator<{ number: number; bytes: Buffer }> {
  let at = 0;
  while (at < message.length) {
    const tag = varintAt(message, at);
    if (tag === undefined) return;
    const wire = tag.value & 7;
    at = tag.end;
    if (wire === LENGTH_DELIMITED) {
      const length = varintAt(message, at);
      if (length === undefined || length.end + length.value > message.length) return;
      at = length.end + length.value;
      yield { number: tag.value >>> 3, bytes: message.subarray(length.end, at) };
    } else if (wire === VARINT) {
      const value = varintAt(message, at);
      if (value === undefined) return;
      at = value.end;
    } else if (wire === FIXED_64) at += 8;
    else if (wire === FIXED_32) at += 4;
    else return;
  }
}

/** Reads a number. Of one with more than 32 bits only its end position is right. */
function varintAt(bytes: Buffer, begin: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let at = begin; at < bytes.length && at < begin + 10; at += 1) {
    const byte = bytes[at] ?? 0;
    if (at < begin + 4) value |= (byte & 0x7f) << (7 * (at - begin));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}
