/** A secret that a cluster had, and what to call it. */
export interface Secret {
  /** What it is, such as `creds.noiseKey.private`. Never contains the value. */
  readonly name: string;
  /** Whose it is, such as `tnt_1/shop`; `''` where that does not matter. */
  readonly owner: string;
  /** Determines the places where it is allowed. */
  readonly kind: SecretKind;
  readonly bytes: Buffer;
}

export type SecretKind =
  | 'credential'
  | 'adv-secret'
  | 'pairing-code'
  | 'passkey-challenge'
  | 'passkey-signature'
  | 'passkey-code'
  | 'passkey-token'
  | 'api-key'
  | 'resume-secret'
  | 'connection-id'
  | 'peer-token'
  | 'environment'
  | 'made-by-test';

/** Candidates are found by this number of bytes, so a secret must not be shorter. */
export const SHORTEST_SECRET = 8;

/** Bits of the filter for each secret. About one place in 64 is a false positive that is compared. */
const FILTER_BITS_EACH = 64;
const LEAST_FILTER_BITS = 1 << 16;

/** Bytes to search for: a secret itself, or what is left of it when its bytes are decoded as UTF-8. */
interface Needle {
  readonly bytes: Buffer;
  readonly secret: Secret;
}

/**
 * Finds any number of secrets in one pass (Rabin–Karp). It hashes the eight bytes at each place, looks the hash up in
 * a bitmap of the hashes of all secrets' first eight bytes, and compares only if the bitmap has it.
 */
export class SecretIndex {
  readonly #needles = new Map<number, Needle[]>();
  readonly #filter: Uint8Array;
  readonly #mask: number;
  #size = 0;

  /** Of secrets with the same bytes only the first one counts. */
  constructor(secrets: Iterable<Secret>) {
    const known = new Set<string>();
    for (const secret of secrets) {
      for (const bytes of formsInMemory(secret.bytes)) {
        const key = bytes.toString('latin1');
        if (known.has(key)) continue;
        known.add(key);
        if (bytes === secret.bytes) this.#size += 1;
        const hash = hashAt(bytes, 0);
        const alike = this.#needles.get(hash);
        if (alike === undefined) this.#needles.set(hash, [{ bytes, secret }]);
        else alike.push({ bytes, secret });
      }
    }
    const wanted = Math.max(LEAST_FILTER_BITS, this.#size * FILTER_BITS_EACH);
    const bits = 2 ** Math.ceil(Math.log2(wanted));
    this.#filter = new Uint8Array(bits / 8);
    this.#mask = bits - 1;
    for (const hash of this.#needles.keys()) this.#note(hash & this.#mask);
  }

  /** The number of secrets that it searches for. */
  get size(): number {
    return this.#size;
  }

  /** The secrets in the bytes, and their positions. */
  find(bytes: Uint8Array): { secret: Secret; at: number }[] {
    const found: { secret: Secret; at: number }[] = [];
    const filter = this.#filter;
    const mask = this.#mask;
    const last = bytes.length - SHORTEST_SECRET;
    let low = wordAt(bytes, 0);
    let high = wordAt(bytes, 4);
    for (let at = 0; at <= last; at += 1) {
      const hash = mix(low, high);
      const bit = hash & mask;
      if (((filter[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) {
        for (const needle of this.#needles.get(hash) ?? []) {
          if (startsAt(bytes, at, needle.bytes)) found.push({ secret: needle.secret, at });
        }
      }
      low = (low >>> 8) | (high << 24);
      high = (high >>> 8) | ((bytes[at + SHORTEST_SECRET] ?? 0) << 24);
    }
    return found;
  }

  #note(bit: number): void {
    this.#filter[bit >>> 3] = (this.#filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
  }
}

function formsInMemory(bytes: Buffer): Buffer[] {
  if (bytes.length < SHORTEST_SECRET) throw new Error('a secret of so few bytes is found everywhere');
  // Without leading replacement characters: any bytes decode to those, so their hash would match very often.
  const asText = Buffer.from(bytes.toString('utf8').replace(/^\ufffd+/, ''));
  return asText.length < SHORTEST_SECRET || asText.equals(bytes) ? [bytes] : [bytes, asText];
}

function wordAt(bytes: Uint8Array, at: number): number {
  const byte = (index: number) => bytes[at + index] ?? 0;
  return byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24);
}

function hashAt(bytes: Uint8Array, at: number): number {
  return mix(wordAt(bytes, at), wordAt(bytes, at + 4));
}

function mix(low: number, high: number): number {
  const mixed = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

function startsAt(bytes: Uint8Array, at: number, needle: Buffer): boolean {
  if (at + needle.length > bytes.length) return false;
  for (let index = 0; index < needle.length; index += 1) {
    if (bytes[at + index] !== needle[index]) return false;
  }
  return true;
}
