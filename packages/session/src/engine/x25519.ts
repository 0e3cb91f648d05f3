import { createPrivateKey, createPublicKey, diffieHellman, randomBytes } from 'node:crypto';

const BASE_POINT = Buffer.alloc(32);
BASE_POINT[0] = 9;

/**
 * The secret that two Curve25519 keys of 32 bytes agree on, 32 bytes. OpenSSL reads keys in JWK form 6 times faster
 * than in DER, which takes longer than the agreement itself.
 * @throws when the public key is of small order.
 */
export function agree(privateKey: Uint8Array, publicKey: Uint8Array): Buffer {
  const key = { kty: 'OKP', crv: 'X25519', x: base64url(publicKey) };
  return diffieHellman({
    // The public half, which the form asks for, is computed from the private one, whatever stands there.
    privateKey: createPrivateKey({ key: { ...key, d: base64url(privateKey) }, format: 'jwk' }),
    publicKey: createPublicKey({ key, format: 'jwk' }),
  });
}

/**
 * A new Curve25519 key pair of 32 bytes each (RFC 7748: the public key is what the private one and 9 agree on). Not by
 * way of `generateKeyPairSync` and an export as JWK: in Node.js 20 that comes to a standstill for good after some
 * thousand keys, when the export of the one half meets the garbage collection of the other.
 */
export function generateKeyPair(): { privateKey: Buffer; publicKey: Buffer } {
  const privateKey = randomBytes(32);
  privateKey[0] = privateKey.readUInt8(0) & 248;
  privateKey[31] = (privateKey.readUInt8(31) & 127) | 64;
  return { privateKey, publicKey: agree(privateKey, BASE_POINT) };
}

function base64url({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64url');
}
