import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomFillSync } from 'node:crypto';
import type { SessionRef } from '../redis/session-ref.js';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;

/** How many nonces are generated at a time: each call has an overhead, and a message seals several values. */
const NONCES_AT_ONCE = 256;
const nonces = Buffer.alloc(NONCES_AT_ONCE * NONCE_BYTES);
let usedBytes = nonces.length;

/** Returns a random nonce that is used only once. Copy it before the next call. */
function nextNonce(): Buffer {
  if (usedBytes === nonces.length) {
    randomFillSync(nonces);
    usedBytes = 0;
  }
  usedBytes += NONCE_BYTES;
  return nonces.subarray(usedBytes - NONCE_BYTES, usedBytes);
}

/** A stored value cannot be opened: it is damaged, belongs to another place, or was sealed with another key. */
export class SealedValueError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SealedValueError';
  }
}

interface MasterKey {
  readonly id: Buffer;
  readonly bytes: Buffer;
}

function masterKey(hex: string): MasterKey {
  if (!/^[0-9a-fA-F]{64}$/.test(hex)) throw new TypeError('a key must be 64 hexadecimal digits');
  const bytes = Buffer.from(hex, 'hex');
  const id = createHash('sha256').update('wafleet key id\0').update(bytes).digest().subarray(0, KEY_ID_BYTES);
  return { id, bytes };
}

/**
 * Seals values at rest with AES-256-GCM.
 *
 * A sealed value is: version (1 byte), id of the key (4), nonce (12), ciphertext, tag (16). The header is
 * authenticated with it. Values are sealed in scopes, one for each session, and each scope has a key of its own,
 * derived by HKDF-SHA256. Random nonces are safe for 2³² values of one key (NIST SP 800-38D, 8.3): a session never
 * reaches that number, a cluster would.
 *
 * There may be several keys, so that they can be changed while sessions run: the first seals, and each value opens
 * with the key that its header names.
 */
export class Cipher {
  readonly #keys: readonly [MasterKey, ...MasterKey[]];

  private constructor(keys: readonly [MasterKey, ...MasterKey[]]) {
    this.#keys = keys;
  }

  /** @param list one or several keys separated by commas, each of 64 hexadecimal digits. The first one seals. */
  static fromHexKeys(list: string): Cipher {
    const [current = '', ...others] = list.split(',');
    return new Cipher([masterKey(current), ...others.map(masterKey)]);
  }

  /** Ids that distinguish the keys without revealing anything about them. The id of the sealing key comes first. */
  get fingerprints(): readonly string[] {
    return this.#keys.map(({ id }) => id.toString('hex'));
  }

  /** Whether there may be values that were sealed with a key other than the current one. */
  get isRotating(): boolean {
    return this.#keys.length > 1;
  }

  /**
   * The seeds of the keys by which edges seal for workers (see worker-box.ts), 32 bytes each; that of the sealing key
   * comes first.
   */
  boxSeeds(): readonly { readonly id: Buffer; readonly seed: Buffer }[] {
    return this.#keys.map(({ id, bytes }) => ({
      id,
      seed: Buffer.from(hkdfSync('sha256', bytes, '', 'wafleet worker box', 32)),
    }));
  }

  /** Returns the object that seals the values of one scope. A value opens in its own scope only. */
  scope(name: string): ScopedCipher {
    return new ScopedCipher(this.#keys, name);
  }

  /** The scope of a session. */
  sessionScope({ tenantId, sessionId }: SessionRef): ScopedCipher {
    return this.scope(`session ${tenantId}/${sessionId}`);
  }
}

class ScopedCipher {
  readonly #keys: readonly [MasterKey, ...MasterKey[]];
  readonly #name: string;
  readonly #derived = new Map<MasterKey, Buffer>();

  constructor(keys: readonly [MasterKey, ...MasterKey[]], name: string) {
    this.#keys = keys;
    this.#name = name;
  }

  /** @param place where the value will be stored. It opens nowhere else. */
  seal(plain: Uint8Array, place: string): Buffer {
    const [key] = this.#keys;
    const header = Buffer.concat([Buffer.of(VERSION), key.id, nextNonce()]);
    const cipher = createCipheriv(ALGORITHM, this.#derive(key), header.subarray(-NONCE_BYTES));
    cipher.setAAD(Buffer.concat([header, Buffer.from(place)]));
    return Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** Whether the value was sealed with the current key. */
  isCurrent(sealed: Buffer): boolean {
    return keyIdOf(sealed).equals(this.#keys[0].id);
  }

  /** @throws {SealedValueError} if the value was not sealed with one of the keys, in this scope and for this place. */
  open(sealed: Buffer, place: string): Buffer {
    if (sealed.length < HEADER_BYTES + TAG_BYTES || sealed[0] !== VERSION) {
      throw new SealedValueError(`the value of ${place} is not a sealed value`);
    }
    const header = sealed.subarray(0, HEADER_BYTES);
    const keyId = keyIdOf(sealed);
    const key = this.#keys.find(({ id }) => id.equals(keyId));
    if (key === undefined) {
      const known = this.#keys.map(({ id }) => id.toString('hex')).join(', ');
      throw new SealedValueError(
        `the value of ${place} was sealed with the key ${keyId.toString('hex')}, not ${known}`,
      );
    }
    const decipher = createDecipheriv(ALGORITHM, this.#derive(key), header.subarray(-NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.concat([header, Buffer.from(place)]));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch (error) {
      throw new SealedValueError(`the value of ${place} is damaged or stands in a wrong place`, {
        cause: error,
      });
    }
  }

  #derive(key: MasterKey): Buffer {
    const derived =
      this.#derived.get(key) ?? Buffer.from(hkdfSync('sha256', key.bytes, '', `wafleet ${this.#name}`, 32));
    this.#derived.set(key, derived);
    return derived;
  }
}

function keyIdOf(sealed: Buffer): Buffer {
  return sealed.subarray(1, 1 + KEY_ID_BYTES);
}

export type { ScopedCipher };
