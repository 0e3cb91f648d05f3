import { BundleError } from './bundle-error.js';
import { BUNDLE_LIMITS } from './limits.js';

/** How often a value may be JSON in JSON. Evolution API has two rounds. */
const ROUNDS = 3;

/** Names that mean something else than a field to code that copies objects. No store writes them. */
const UNSAFE_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** A parsed value, and whether only the beginning of its text was JSON. */
export interface ParsedText {
  readonly value: unknown;
  readonly isRepaired: boolean;
}

/**
 * Parses the text of a record, also one that is JSON in JSON. A text with something behind its JSON is read up to
 * there: a process that ended while it wrote left the rest of the former, longer text.
 * @throws {BundleError} not-json.
 */
export function parseRecord(text: string, path: string): ParsedText {
  let value: unknown = text.startsWith('\ufeff') ? text.slice(1) : text;
  let isRepaired = false;
  for (let round = 0; round < ROUNDS && typeof value === 'string' && isJsonText(value, round); round += 1) {
    const parsed = parseBeginning(value, path);
    value = parsed.value;
    isRepaired ||= parsed.isRepaired;
  }
  return { value, isRepaired };
}

/** The outer text is JSON. A string in it is JSON if it has the beginning of an object, a list or a string. */
function isJsonText(text: string, round: number): boolean {
  return round === 0 || /^\s*[{["]/.test(text);
}

function parseBeginning(text: string, path: string): ParsedText {
  const whole = tryParse(text);
  if (whole !== undefined) return { value: whole.value, isRepaired: false };
  const beginning = tryParse(text.slice(0, endOfFirstValue(text)));
  if (beginning === undefined) throw new BundleError('not-json', path, `${path} is not JSON.`);
  return { value: beginning.value, isRepaired: true };
}

function tryParse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** The end of the object or list that the text begins with; 0 if it does not end. */
function endOfFirstValue(text: string): number {
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isInText) {
      if (character === '\\') at += 1;
      else if (character === '"') isInText = false;
    } else if (character === '"') {
      isInText = true;
    } else if (character === '{' || character === '[') {
      depth += 1;
    } else if (character === '}' || character === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return 0;
}

/**
 * Turns every form in which a release of Baileys writes bytes into bytes: `{"type":"Buffer","data":…}` with base64 or
 * a list, `{"buffer":true,…}`, and an object of numbered bytes. Everything else is copied without unsafe names.
 * @throws {BundleError} too-large if it is deeper than records are.
 */
export function reviveBytes(value: unknown, path: string, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (depth > BUNDLE_LIMITS.depth) {
    throw new BundleError('too-large', path, `${path} has more levels than a record of a session.`);
  }
  if (Array.isArray(value)) return value.map((item) => reviveBytes(item, path, depth + 1));
  const bytes = markedBytes(value) ?? numberedBytes(value);
  if (bytes !== undefined) return bytes;
  const entries = Object.entries(value).filter(([name]) => !UNSAFE_NAMES.has(name));
  return Object.fromEntries(entries.map(([name, field]) => [name, reviveBytes(field, path, depth + 1)]));
}

/** Whether a value has more fields and items than a record may have. Marked bytes count as one. */
export function isTooWide(value: unknown): boolean {
  return valuesLeft(value, BUNDLE_LIMITS.values, 0) < 0;
}

/** How many of the values that are left a value leaves; a negative number as soon as there are too many. */
function valuesLeft(value: unknown, left: number, depth: number): number {
  const isObject = typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
  if (!isObject || isMarked(value) || depth > BUNDLE_LIMITS.depth) return left;
  const names = Object.keys(value);
  let rest = left - names.length;
  for (const name of names) {
    if (rest < 0) break;
    rest = valuesLeft(Reflect.get(value, name), rest, depth + 1);
  }
  return rest;
}

function isMarked(value: object): boolean {
  return ('type' in value && value.type === 'Buffer') || ('buffer' in value && value.buffer === true);
}

function markedBytes(value: object): Buffer | undefined {
  if (!isMarked(value)) return undefined;
  const data = ('data' in value ? value.data : undefined) ?? ('value' in value ? value.value : undefined);
  if (typeof data === 'string') return Buffer.from(data, 'base64');
  return isListOfBytes(data) ? Buffer.from(data) : undefined;
}

/** `{"0":12,"1":7,…}`, as `JSON.stringify` writes a Uint8Array. */
function numberedBytes(value: object): Buffer | undefined {
  const names = Object.keys(value);
  if (names.length === 0 || names.some((name, index) => name !== String(index))) return undefined;
  const list: unknown[] = Object.values(value);
  return isListOfBytes(list) ? Buffer.from(list) : undefined;
}

function isListOfBytes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255);
}
