import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { type Cipher, SealedValueError } from './cipher.js';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
const KEY_ID_BYTES = 4;
const PUBLIC_BYTES = 32;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + PUBLIC_BYTES;
/** Each box has a key of its own, which encrypts one value. */
const NONCE = Buffer.alloc(12);
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/**
 * Seals a value for the workers of a cluster. Only they can open it, since only they have the ENCRYPTION_KEY; a process
 * without that key, such as an edge, can seal. A box is: version (1 byte), id of the key (4), an ephemeral public key
 * (32), ciphertext, tag (16). The key of the ciphertext is derived from an X25519 agreement by HKDF-SHA256.
 * @param publicKey as `WorkerBoxes.publicKey` gives it.
 * @param place what the box is for. It opens for nothing else.
 * @throws {TypeError} if it is not such a key.
 */
export function sealForWorkers(publicKey: Buffer, plain: Uint8Array, place: string): Buffer {
  if (publicKey.length !== KEY_ID_BYTES + PUBLIC_BYTES) throw new TypeError('not the public key of workers');
  const recipient = publicKey.subarray(KEY_ID_BYTES);
  const ephemeral = privateKeyOf(randomBytes(32));
  const ephemeralPublic = publicBytesOf(ephemeral);
  const key = sharedKey(ephemeral, publicKeyOf(recipient), ephemeralPublic, recipient);
  const header = Buffer.concat([Buffer.of(VERSION), publicKey.subarray(0, KEY_ID_BYTES), ephemeralPublic]);
  const cipher = createCipheriv(ALGORITHM, key, NONCE);
  cipher.setAAD(Buffer.concat([header, Buffer.from(place)]));
  return Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Opens what was sealed for workers. */
export class WorkerBoxes {
  readonly #keys: readonly { readonly id: Buffer; readonly privateKey: KeyObject }[];

  constructor(cipher: Cipher) {
    this.#keys = cipher.boxSeeds().map(({ id, seed }) => ({ id, privateKey: privateKeyOf(seed) }));
  }

  /** The id of the sealing key (4 bytes) and its public half (32). Not secret. */
  get publicKey(): Buffer {
    const [key] = this.#keys;
    return key === undefined ? Buffer.alloc(0) : Buffer.concat([key.id, publicBytesOf(key.privateKey)]);
  }

  /** @throws {SealedValueError} if the box was sealed for another cluster or purpose, or is damaged. */
  open(box: Buffer, place: string): Buffer {
    const header = box.subarray(0, HEADER_BYTES);
    const id = header.subarray(1, 1 + KEY_ID_BYTES);
    const key = this.#keys.find((known) => known.id.equals(id));
    if (box.length < HEADER_BYTES + TAG_BYTES || box[0] !== VERSION || key === undefined) {
      throw new SealedValueError(`the box of ${place} was not sealed for this ENCRYPTION_KEY`);
    }
    try {
      const ephemeralPublic = header.subarray(1 + KEY_ID_BYTES);
      const own = publicBytesOf(key.privateKey);
      const shared = sharedKey(key.privateKey, publicKeyOf(ephemeralPublic), ephemeralPublic, own);
      const decipher = createDecipheriv(ALGORITHM, shared, NONCE, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.concat([header, Buffer.from(place)]));
      decipher.setAuthTag(box.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(box.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch (error) {
      throw new SealedValueError(`the box of ${place} is damaged or was sealed for another purpose`, {
        cause: error,
      });
    }
  }
}

function sharedKey(
  privateKey: KeyObject,
  publicKey: KeyObject,
  ephemeral: Buffer,
  recipient: Buffer,
): Buffer {
  const secret = diffieHellman({ privateKey, publicKey });
  return Buffer.from(
    hkdfSync('sha256', secret, Buffer.concat([ephemeral, recipient]), 'wafleet worker box', 32),
  );
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
}

function publicKeyOf(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: 'der', type: 'spki' });
}

function publicBytesOf(privateKey: KeyObject): Buffer {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return spki.subarray(-PUBLIC_BYTES);
}
