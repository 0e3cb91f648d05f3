import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject, randomBytes } from 'node:crypto';

declare module 'node:crypto' {
  /** The raw form of Node.js 24 and newer. The types of the oldest supported Node.js lack it. */
  function createPrivateKey(key: {
    key: Buffer;
    format: 'raw-private';
    asymmetricKeyType: 'x25519';
  }): KeyObject;
}

const BASE_POINT = Buffer.alloc(32);
BASE_POINT[0] = 9;

/** The bytes of a PKCS #8 document before the 32 bytes of its X25519 key (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');

type ReadPrivateKey = (privateKey: Uint8Array) => KeyObject;

/**
 * The ways to pass a private key to Node.js, the fastest first. CPU time of each, on the same machine:
 *
 * | Node.js     | raw   | JWK     | DER    |
 * |-------------|-------|---------|--------|
 * | 20.20       |       | 75 µs   | 710 µs |
 * | 22.23       |       | 55 µs   | 95 µs  |
 * | 24.22, 26.12| 57 µs | refused | 87 µs  |
 */
const FORMS: readonly ReadPrivateKey[] = [
  (privateKey) =>
    createPrivateKey({ key: bufferOf(privateKey), format: 'raw-private', asymmetricKeyType: 'x25519' }),
  // The JWK form requires a public half, and computing it costs more than the form saves. Older releases do not read
  // the public half; newer ones throw "Invalid JWK OKP key" if it does not match.
  (privateKey) =>
    createPrivateKey({ key: { ...jwkOf(BASE_POINT), d: base64url(privateKey) }, format: 'jwk' }),
  (privateKey) =>
    createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, privateKey]), format: 'der', type: 'pkcs8' }),
];

const readPrivateKey = fastestForm();

/**
 * Returns the shared secret (32 bytes) of two Curve25519 keys of 32 bytes each.
 *
 * Removal condition: that of native-curve.ts for agreements (docs/upstream.md, 5). The forms that are not raw go when
 * the oldest supported Node.js is 24 or newer.
 * @throws if the public key is of small order.
 */
export function agree(privateKey: Uint8Array, publicKey: Uint8Array): Buffer {
  return diffieHellman({
    privateKey: readPrivateKey(privateKey),
    publicKey: createPublicKey({ key: jwkOf(publicKey), format: 'jwk' }),
  });
}

/**
 * Returns a new Curve25519 key pair of 32 bytes each. RFC 7748: the public key is the result of X25519 on the private
 * key and 9.
 *
 * `generateKeyPairSync` with an export as JWK is not used: in Node.js 20 it deadlocks after some thousand keys, when
 * the export of one half coincides with the garbage collection of the other.
 */
export function generateKeyPair(): { privateKey: Buffer; publicKey: Buffer } {
  const privateKey = randomBytes(32);
  privateKey[0] = privateKey.readUInt8(0) & 248;
  privateKey[31] = (privateKey.readUInt8(31) & 127) | 64;
  return { privateKey, publicKey: agree(privateKey, BASE_POINT) };
}

/** Tries each form once, with a key that it must accept, because releases of one major version differ. */
function fastestForm(): ReadPrivateKey {
  const privateKey = Buffer.alloc(32, 0x40);
  for (const form of FORMS) {
    try {
      form(privateKey);
      return form;
    } catch {
      // This Node.js does not support the form.
    }
  }
  throw new Error('this Node.js cannot read X25519 private keys');
}

function jwkOf(publicKey: Uint8Array) {
  return { kty: 'OKP', crv: 'X25519', x: base64url(publicKey) };
}

function base64url(bytes: Uint8Array): string {
  return bufferOf(bytes).toString('base64url');
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
