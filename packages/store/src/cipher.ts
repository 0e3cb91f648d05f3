import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { SessionRef } from './session-ref.js';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;

/** A stored value cannot be opened: it is damaged, of another place, or was sealed with another key. */
export class SealedValueError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SealedValueError';
  }
}

/**
 * Seals values at rest with AES-256-GCM.
 *
 * A sealed value is: version (1 byte), id of the key (4), nonce (12), ciphertext, tag (16). The header is
 * authenticated with it; the key's id is there so that keys can be rotated. Values are sealed in scopes, one for each
 * session, and each scope has a key of its own, derived by HKDF-SHA256: random nonces are safe for 2³² values of one
 * key (NIST SP 800-38D, 8.3), which a session never reaches and a cluster would.
 */
export class Cipher {
  readonly #masterKey: Buffer;
  readonly #keyId: Buffer;

  private constructor(masterKey: Buffer) {
    this.#masterKey = masterKey;
    this.#keyId = createHash('sha256')
      .update('wafleet key id\0')
      .update(masterKey)
      .digest()
      .subarray(0, KEY_ID_BYTES);
  }

  /** @param hex 64 hexadecimal digits. */
  static fromHexKey(hex: string): Cipher {
    if (!/^[0-9a-fA-F]{64}$/.test(hex)) throw new TypeError('the key must be 64 hexadecimal digits');
    return new Cipher(Buffer.from(hex, 'hex'));
  }

  /** Tells keys apart without telling anything of them. */
  get fingerprint(): string {
    return this.#keyId.toString('hex');
  }

  /** What seals the values of one scope; a value opens in its own scope only. */
  scope(name: string): ScopedCipher {
    const key = hkdfSync('sha256', this.#masterKey, '', `wafleet ${name}`, 32);
    return new ScopedCipher(Buffer.from(key), this.#keyId);
  }

  /** The scope of a session. */
  sessionScope({ tenantId, sessionId }: SessionRef): ScopedCipher {
    return this.scope(`session ${tenantId}/${sessionId}`);
  }
}

class ScopedCipher {
  readonly #key: Buffer;
  readonly #keyId: Buffer;

  constructor(key: Buffer, keyId: Buffer) {
    this.#key = key;
    this.#keyId = keyId;
  }

  /** @param place where the value will stand; it opens nowhere else. */
  seal(plain: Uint8Array, place: string): Buffer {
    const header = Buffer.concat([Buffer.of(VERSION), this.#keyId, randomBytes(NONCE_BYTES)]);
    const cipher = createCipheriv(ALGORITHM, this.#key, header.subarray(-NONCE_BYTES));
    cipher.setAAD(Buffer.concat([header, Buffer.from(place)]));
    return Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws {SealedValueError} when the value was not sealed with this key, in this scope and for this place. */
  open(sealed: Buffer, place: string): Buffer {
    if (sealed.length < HEADER_BYTES + TAG_BYTES || sealed[0] !== VERSION) {
      throw new SealedValueError(`the value of ${place} is not a sealed value`);
    }
    const header = sealed.subarray(0, HEADER_BYTES);
    const keyId = header.subarray(1, 1 + KEY_ID_BYTES);
    if (!keyId.equals(this.#keyId)) {
      throw new SealedValueError(
        `the value of ${place} was sealed with the key ${keyId.toString('hex')}, not ${this.#keyId.toString('hex')}`,
      );
    }
    const decipher = createDecipheriv(ALGORITHM, this.#key, header.subarray(-NONCE_BYTES), {
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
}

export type { ScopedCipher };
