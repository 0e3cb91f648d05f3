import { MAX_EVENT_BYTES } from '@wafleet/contract';
import type { JsonObject, JsonValue } from '../mapping/normalise.js';

/**
 * The sizes to which long texts (characters), lists and maps (entries) are cut. The first step that suffices is used.
 */
const STEPS = [
  { text: 16_384, entries: 512 },
  { text: 2_048, entries: 128 },
  { text: 256, entries: 32 },
  { text: 64, entries: 8 },
] as const;
const MAX_DEPTH = 32;
/** The maximum number of fields that `omitted` names. */
const MAX_NAMED = 20;
/** Reserved for what the envelope and `omitted` add. */
const RESERVED_BYTES = 8 * 1024;

/** The number of fields that are kept if no other step makes the event small enough. Events of WhatsApp have fewer. */
const MAX_SCALARS = 64;

type Step = (typeof STEPS)[number];

/**
 * Returns the text of an event's payload, at most MAX_EVENT_BYTES in UTF-8. If the event is larger, its longest texts
 * and lists are cut, and `omitted` names them. The event itself is always published, with its ids, which are short.
 */
export function boundedBody(payload: JsonObject): string {
  const body = JSON.stringify(payload);
  // A character has at most three bytes, so most texts need not be measured.
  if (body.length * 3 <= MAX_EVENT_BYTES) return body;
  const bytes = Buffer.byteLength(body);
  if (bytes <= MAX_EVENT_BYTES - RESERVED_BYTES) return body;
  for (const step of STEPS) {
    const fields: string[] = [];
    const cut = cutObject(payload, step, '', fields, 0);
    const shorter = JSON.stringify({ ...cut, omitted: omission(bytes, fields) });
    if (Buffer.byteLength(shorter) <= MAX_EVENT_BYTES - RESERVED_BYTES) return shorter;
  }
  const scalars = Object.entries(payload)
    .filter(([name, value]) => name.length <= 64 && isShort(value))
    .slice(0, MAX_SCALARS);
  return JSON.stringify({ ...Object.fromEntries(scalars), omitted: omission(bytes, Object.keys(payload)) });
}

/**
 * Estimates the length of a value as the JSON of an event, in characters, with bytes as base64. Much faster than
 * creating the JSON, and close enough for a bound: numbers, quotes and the like count as a few characters each.
 */
export function roughLength(value: unknown, depth = 0): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return 4;
  if (value instanceof Uint8Array) return Math.ceil(value.length / 3) * 4;
  let length = 2;
  if (Array.isArray(value)) {
    for (const item of value) length += roughLength(item, depth + 1) + 1;
    return length;
  }
  for (const [name, field] of Object.entries(value)) {
    if (field != null) length += name.length + 4 + roughLength(field, depth + 1);
  }
  return length;
}

function isShort(value: JsonValue): boolean {
  return typeof value === 'string' ? value.length <= 64 : typeof value !== 'object';
}

function omission(bytes: number, fields: readonly string[]): JsonObject {
  const named = fields.slice(0, MAX_NAMED).map((field) => field.slice(0, 200));
  return { reason: 'too-large', bytes, limit: MAX_EVENT_BYTES, fields: named };
}

function cut(value: JsonValue, step: Step, path: string, fields: string[], depth: number): JsonValue {
  if (typeof value === 'string') {
    if (value.length <= step.text) return value;
    fields.push(path);
    // Does not cut through the middle of a character.
    return value.slice(0, step.text).replace(/[\uD800-\uDBFF]$/, '');
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) {
    fields.push(path);
    return null;
  }
  if (!Array.isArray(value)) return cutObject(value, step, path, fields, depth);
  if (value.length > step.entries) fields.push(path);
  return value
    .slice(0, step.entries)
    .map((item, index) => cut(item, step, join(path, `${index}`), fields, depth + 1));
}

function cutObject(
  object: JsonObject,
  step: Step,
  path: string,
  fields: string[],
  depth: number,
): JsonObject {
  const entries = Object.entries(object);
  // An object with WhatsApp's field names has fewer fields than that, so this is a map.
  const isCut = entries.length > Math.max(step.entries, 64);
  if (isCut) fields.push(path);
  const kept = isCut ? entries.slice(0, Math.max(step.entries, 64)) : entries;
  return Object.fromEntries(
    kept.map(([name, value]) => [name, cut(value, step, join(path, name), fields, depth + 1)]),
  );
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
