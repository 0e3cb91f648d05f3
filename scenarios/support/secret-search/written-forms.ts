/** Bytes that were found somewhere, in any written form. */
export interface WrittenBytes {
  /** How they are written, for a person. */
  readonly form: string;
  readonly bytes: Buffer;
  /** The text that contains them, a character for each byte. */
  readonly text: () => string;
  /** The position of one of them in that text. */
  readonly placeOf: (index: number) => number;
  /** Whether that text is the input, unchanged. */
  readonly isVerbatim: boolean;
}

/** The bytes of a list, decoded from one of its positions on. */
interface Reading {
  readonly bytes: Buffer;
  /** The number of characters of the list before a byte. */
  readonly charactersBefore: (index: number) => number;
}

/** How a list of at least 16 bytes is recognised and decoded. */
const LISTS: readonly { form: string; pattern: RegExp; read: (list: string) => Reading[] }[] = [
  {
    // In either alphabet, padded or not. Its offset within the groups of four letters is unknown.
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
 * All bytes that the input may represent: the input itself; base64, base64url, hex and lists of numbers in it of at
 * least 16 bytes; and the same again after decoding the escapes of JSON, JavaScript and URLs, if there are any, with
 * characters read as bytes.
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

/** Only the bytes themselves, without other interpretations. */
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
