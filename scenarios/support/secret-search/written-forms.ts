/** Bytes that are written somewhere, however they are written there. */
export interface WrittenBytes {
  /** How they are written, for a person. */
  readonly form: string;
  readonly bytes: Buffer;
  /** The text in which they stand, a character for each byte. */
  readonly text: () => string;
  /** Where in that text one of them stands. */
  readonly placeOf: (index: number) => number;
  /** Whether that text is what was read, as it is. */
  readonly isVerbatim: boolean;
}

/** What a list of bytes says when it is read from one of its places on. */
interface Reading {
  readonly bytes: Buffer;
  /** How many characters of the list stand before a byte. */
  readonly charactersBefore: (index: number) => number;
}

/** What a list of at least 16 bytes looks like, and what bytes it lists. */
const LISTS: readonly { form: string; pattern: RegExp; read: (list: string) => Reading[] }[] = [
  {
    // With either alphabet, padded or not. Where it begins within its groups of four letters is not known.
    form: 'base64',
    pattern: /[A-Za-z0-9+/_-]{22,}/g,
    read: (list) =>
      [0, 1, 2, 3].map((begin) => ({
        bytes: Buffer.from(list.slice(begin), 'base64'),
        charactersBefore: (index) => begin + Math.floor((index * 4) / 3),
      })),
  },
  {
    form: 'hex',
    pattern: /[0-9a-fA-F]{32,}/g,
    read: (list) =>
      [0, 1].map((begin) => ({
        bytes: Buffer.from(list.slice(begin), 'hex'),
        charactersBefore: (index) => begin + index * 2,
      })),
  },
  {
    // As `<Buffer 0a 1b …>`.
    form: 'spaced hex',
    pattern: /[0-9a-fA-F]{2}(?:[ :-][0-9a-fA-F]{2}){15,}/g,
    read: (list) => fromItsBegin(Buffer.from(list.replace(/[^0-9a-fA-F]/g, ''), 'hex')),
  },
  {
    // As `[10,27,…]` and `Uint8Array(32) [ 10, 27, …`.
    form: 'a list of numbers',
    pattern: /\b\d{1,3}(?:\s*,\s*\d{1,3}){15,}/g,
    read: (list) => fromItsBegin(Buffer.from(list.split(',').map(Number))),
  },
  {
    // As JSON writes a typed array: `{"0":10,"1":27,…}`.
    form: 'an object of numbers',
    pattern: /"?\d+"?\s*:\s*\d{1,3}(?:\s*,\s*"?\d+"?\s*:\s*\d{1,3}){15,}/g,
    read: (list) =>
      fromItsBegin(Buffer.from(list.split(',').map((entry) => Number(entry.slice(entry.indexOf(':') + 1))))),
  },
];

const ESCAPES = /\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|%([0-9a-fA-F]{2})|\\([nrtbfv0"'\\/])/g;
const MAY_BE_ESCAPED = /\\|%[0-9a-fA-F]{2}/;
const CONTROL: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  v: '\v',
  0: '\0',
};
/** JSON within JSON within JSON. */
const NESTED_AT_MOST = 3;
const BEYOND_ASCII = /[^\0-\x7f]/;

/**
 * All bytes that may be meant by what was read: these bytes themselves; what stands there as base64, base64url, hex or
 * a list of numbers, from 16 bytes on; and the same again without the escapes of JSON, of JavaScript and of URLs, where
 * there are any, with characters read as bytes.
 */
export function* writtenForms(read: Buffer): Generator<WrittenBytes> {
  yield rawIn(read, { form: 'raw', isVerbatim: true });
  yield* listsIn(read.toString('latin1'), { prefix: '', isVerbatim: true });
  let plain = read.toString('utf8');
  for (let depth = 1; depth <= NESTED_AT_MOST; depth += 1) {
    const isEscaped = MAY_BE_ESCAPED.test(plain);
    if (!isEscaped && (depth > 1 || !BEYOND_ASCII.test(plain))) return;
    if (isEscaped) plain = plain.replace(ESCAPES, unescaped);
    const characters = Buffer.from(plain, 'latin1');
    yield rawIn(characters, { form: 'raw in text', isVerbatim: false });
    if (!isEscaped) return;
    yield rawIn(Buffer.from(plain), { form: 'raw in text', isVerbatim: false });
    yield* listsIn(characters.toString('latin1'), { prefix: 'escaped ', isVerbatim: false });
  }
}

/** The bytes as they are, and nothing else that they may mean. */
export function rawIn(bytes: Buffer, how: Pick<WrittenBytes, 'form' | 'isVerbatim'>): WrittenBytes {
  return { ...how, bytes, text: () => bytes.toString('latin1'), placeOf: (index) => index };
}

function fromItsBegin(bytes: Buffer): Reading[] {
  return [{ bytes, charactersBefore: () => 0 }];
}

function unescaped(_: string, unicode?: string, hex?: string, percent?: string, letter = ''): string {
  const code = unicode ?? hex ?? percent;
  if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
  return CONTROL[letter] ?? letter;
}

function* listsIn(
  text: string,
  { prefix, isVerbatim }: { prefix: string; isVerbatim: boolean },
): Generator<WrittenBytes> {
  for (const { form, pattern, read } of LISTS) {
    for (const { 0: list, index } of text.matchAll(pattern)) {
      for (const { bytes, charactersBefore } of read(list)) {
        const placeOf = (at: number) => index + charactersBefore(at);
        yield { form: prefix + form, bytes, text: () => text, placeOf, isVerbatim };
      }
    }
  }
}
