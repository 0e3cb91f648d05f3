import { randomBytes, randomInt } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToNumberLE, numberToBytesLE } from '@noble/curves/utils.js';
import { Curve } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { curveModule } from '../internals.js';
import { isSignedBy, sign } from './xeddsa.js';

/** `curve25519-js` before any patch in this process. */
const original = curveModule();

const ORDER = ed25519.Point.Fn.ORDER;
const PRIME = ed25519.Point.Fp.ORDER;
const SIGN_BIT = 0x80;

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex');

/** Returns the answer of both verifiers, which must agree. */
function verdict(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const answer = isSignedBy(publicKey, message, signature);
  expect(answer).toBe(original.verify(publicKey, message, signature));
  return answer;
}

function flipOneBit(bytes: Uint8Array, bit = randomInt(bytes.length * 8)): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

function signedMessage(length = 40) {
  const { private: privateKey, public: publicKey } = Curve.generateKeyPair();
  const message = randomBytes(length);
  return { privateKey, publicKey, message, signature: sign(privateKey, message) };
}

test.each([0, 1, 63, 64, 200, 5_000])('a message of %i bytes is signed as by curve25519-js', (length) => {
  const { privateKey, publicKey, message, signature } = signedMessage(length);
  expect(verdict(publicKey, message, signature)).toBe(true);
  const random = randomBytes(64);
  expect(sign(privateKey, message, random)).toEqual(original.sign(privateKey, message, random));
  expect(verdict(publicKey, message, original.sign(privateKey, message))).toBe(true);
  expect(sign(privateKey, message)).not.toEqual(signature);
});

test('public keys of either sign are signed for', () => {
  const signBits = new Set<number>();
  while (signBits.size < 2) {
    const { publicKey, message, signature } = signedMessage();
    signBits.add((signature[63] ?? 0) & SIGN_BIT);
    expect(isSignedBy(publicKey, message, signature)).toBe(true);
  }
});

test("Signal's own test vector is accepted", () => {
  const identity = hex('ab7e717d4a163b7d9a1d8071dfe9dcf8cdcd1cea3339b6356be84d887e322c64');
  const signedKey = hex('05edce9d9c415ca78cb7252e72c2c4a554d3eb29485a0e1d503118d1a82d99fb4a');
  const signature = hex(`5de88ca9a89b4a115da79109c67c9c7464a3e4180274f1cb8c63c2984e286dfb
    ede82deb9dcd9fae0bfbb821569b3d9001bd8130cd11d486cef047bd60b86e88`);
  expect(verdict(identity, signedKey, signature)).toBe(true);
  for (let byte = 0; byte < 64; byte += 1) {
    expect(isSignedBy(identity, signedKey, flipOneBit(signature, byte * 8))).toBe(false);
  }
});

describe('like curve25519-js, it', () => {
  test('refuses what differs by a bit', () => {
    for (let round = 0; round < 12; round += 1) {
      const { publicKey, message, signature } = signedMessage();
      expect(verdict(publicKey, message, flipOneBit(signature))).toBe(false);
      expect(verdict(publicKey, flipOneBit(message), signature)).toBe(false);
      // The last bit does not belong to the key.
      expect(verdict(flipOneBit(publicKey, randomInt(255)), message, signature)).toBe(false);
    }
  });

  test("ignores a key's last bit", () => {
    const { publicKey, message, signature } = signedMessage();
    expect(verdict(flipOneBit(publicKey, 255), message, signature)).toBe(true);
  });

  test('accepts a signature whose scalar is not reduced', () => {
    const { publicKey, message, signature } = signedMessage();
    const signBit = (signature[63] ?? 0) & SIGN_BIT;
    const scalar = bytesToNumberLE(flipOneBit(signature, 511).subarray(32)) % 2n ** 255n;
    for (const times of [1n, 2n, 6n]) {
      const other = Uint8Array.from(signature);
      other.set(numberToBytesLE((scalar % ORDER) + times * ORDER, 32), 32);
      other[63] = (other[63] ?? 0) | signBit;
      expect(verdict(publicKey, message, other)).toBe(true);
      expect(verdict(publicKey, flipOneBit(message), other)).toBe(false);
    }
  });

  test('answers for keys that are not reduced and for those off the curve', () => {
    const { private: privateKey } = Curve.generateKeyPair();
    const keys = [
      ...[2n, PRIME + 2n, PRIME + 18n].map((u) => numberToBytesLE(u, 32)),
      ...Array.from({ length: 6 }, () => randomBytes(32)),
    ];
    for (const key of keys) {
      const message = randomBytes(8);
      verdict(key, message, sign(privateKey, message));
      verdict(key, message, randomBytes(64));
      verdict(key, message, new Uint8Array(64));
      verdict(key, message, new Uint8Array(64).fill(255));
    }
  });
});

test('unlike curve25519-js, it refuses signatures for a key for which everybody can sign', () => {
  const keys = [
    ...[0n, 1n, PRIME - 1n, PRIME, PRIME + 1n].map((u) => numberToBytesLE(u, 32)),
    hex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
    hex('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'),
  ];
  // Its nonce is the neutral element and its scalar zero: valid whenever the hash times the key is neutral too.
  const forged = new Uint8Array(64);
  forged[0] = 1;
  for (const key of keys) {
    let message = randomBytes(8);
    while (!original.verify(key, message, forged)) message = randomBytes(8);
    expect(isSignedBy(key, message, forged)).toBe(false);
  }
});
