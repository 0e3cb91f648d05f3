import { createHash, createPublicKey, type KeyObject, randomBytes, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToNumberLE, numberToBytesLE } from '@noble/curves/utils.js';
import { LRUCache } from 'lru-cache';

const { Fn, Fp, BASE } = ed25519.Point;
/** Separates the hash for the nonce from the other hashes of a signature: 2^256 - 2, little-endian. */
const NONCE_PREFIX = Buffer.concat([Buffer.from([0xfe]), Buffer.alloc(31, 0xff)]);
const SIGN_BIT = 0x80;

/** Public keys of small order, which no private key has (Bernstein, https://cr.yp.to/ecdh.html#validate). */
const SMALL_ORDER = new Set([
  0n,
  1n,
  Fp.ORDER - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
]);

/** At most this number of correspondents and group members are cached. A key's Ed25519 form takes about 1 KB. */
const MAX_KEYS = 10_000;

/** Public keys in the form that Node.js verifies with. */
const keys = new LRUCache<string, KeyObject>({ max: MAX_KEYS });

/**
 * Public points of the keys that signed recently, by hashes of the private keys. Computing one is half the cost of a
 * signature.
 */
const publicPoints = new LRUCache<string, Uint8Array>({ max: MAX_KEYS });

/**
 * Signs as Signal does: with a Curve25519 private key of 32 bytes. The sign bit of the public Edwards point is stored
 * in the signature's last byte, so that the public key in its Montgomery form is enough to verify.
 *
 * Removal condition: that of native-curve.ts for signatures (docs/upstream.md, 4).
 *
 * @param random 64 random bytes.
 * @returns 64 bytes.
 * Source: The XEdDSA and VXEdDSA Signature Schemes, Trevor Perrin, 2016. One difference: for a point whose sign bit is
 * set, the document negates the private key; Signal's own code, and so WhatsApp's, puts the bit into the signature.
 */
export function sign(
  privateKey: Uint8Array,
  message: Uint8Array,
  random: Uint8Array = randomBytes(64),
): Uint8Array {
  const clamped = Uint8Array.from(privateKey);
  clamped[0] = (clamped[0] ?? 0) & 248;
  clamped[31] = ((clamped[31] ?? 0) & 127) | 64;
  const a = Fn.create(bytesToNumberLE(clamped));
  const publicPoint = publicPointOf(clamped, a);
  const r = scalarOf(NONCE_PREFIX, clamped, message, random);
  const noncePoint = BASE.multiply(r).toBytes();
  const s = Fn.add(r, Fn.mul(scalarOf(noncePoint, publicPoint, message), a));
  const signature = new Uint8Array(64);
  signature.set(noncePoint);
  signature.set(numberToBytesLE(s, 32), 32);
  signature[63] = (signature[63] ?? 0) | ((publicPoint[31] ?? 0) & SIGN_BIT);
  return signature;
}

/**
 * Whether a signature of 64 bytes was made for this message with the private key of this Curve25519 public key (32
 * bytes). Never throws.
 *
 * The result is that of `curve25519-js`, which accepts unreduced scalars, with one difference: signatures for keys of
 * small order are refused, since everybody can make one for such a key. OpenSSL 3.5 refuses these by itself, as well as
 * the signature whose nonce is zero, which would reveal the private key.
 */
export function isSignedBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const ed25519Signature = Buffer.from(signature);
  const signBit = ed25519Signature.readUInt8(63) & SIGN_BIT;
  ed25519Signature[63] = ed25519Signature.readUInt8(63) & ~SIGN_BIT;
  const s = bytesToNumberLE(ed25519Signature.subarray(32));
  // OpenSSL refuses unreduced scalars.
  if (s >= Fn.ORDER) ed25519Signature.set(numberToBytesLE(Fn.create(s), 32), 32);
  const key = keyOf(publicKey, signBit);
  return key !== undefined && verify(null, message, key, ed25519Signature);
}

/** @param a the number that the clamped private key represents. */
function publicPointOf(clamped: Uint8Array, a: bigint): Uint8Array {
  const name = createHash('sha256').update(clamped).digest('base64');
  const known = publicPoints.get(name);
  if (known !== undefined) return known;
  const publicPoint = BASE.multiply(a).toBytes();
  publicPoints.set(name, publicPoint);
  return publicPoint;
}

function scalarOf(...parts: Uint8Array[]): bigint {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return Fn.create(bytesToNumberLE(hash.digest()));
}

function keyOf(publicKey: Uint8Array, signBit: number): KeyObject | undefined {
  const name = `${signBit}:${Buffer.from(publicKey).toString('latin1')}`;
  const known = keys.get(name);
  if (known !== undefined) return known;
  const key = ed25519KeyOf(publicKey, signBit);
  if (key !== undefined) keys.set(name, key);
  return key;
}

/** The Edwards form of a Montgomery u-coordinate: y = (u - 1) / (u + 1). Undefined for a point of small order. */
function ed25519KeyOf(publicKey: Uint8Array, signBit: number): KeyObject | undefined {
  const montgomery = Uint8Array.from(publicKey);
  montgomery[31] = (montgomery[31] ?? 0) & ~SIGN_BIT;
  const u = Fp.create(bytesToNumberLE(montgomery));
  if (SMALL_ORDER.has(u)) return undefined;
  const edwards = numberToBytesLE(Fp.div(Fp.sub(u, Fp.ONE), Fp.add(u, Fp.ONE)), 32);
  edwards[31] = (edwards[31] ?? 0) | signBit;
  const x = Buffer.from(edwards).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
