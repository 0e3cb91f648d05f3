import { randomBytes } from 'node:crypto';
import { Curve, generateSignalPubKey } from '@whiskeysockets/baileys';
import { verifySignature } from 'libsignal/src/curve.js';
import { expect, test } from 'vitest';
import { signXeddsa } from './xeddsa.js';

test("libsignal's own verifier accepts the signatures, for this message and key alone", () => {
  for (let round = 0; round < 10; round += 1) {
    const { private: privateKey, public: publicKey } = Curve.generateKeyPair();
    const message = randomBytes(round * 7);
    const signature = signXeddsa(privateKey, message);
    expect(signature).toHaveLength(64);
    const verifies = (key: Uint8Array, text: Uint8Array) =>
      verifySignature(generateSignalPubKey(key), text, signature);
    expect(verifies(publicKey, message)).toBe(true);
    expect(verifies(publicKey, randomBytes(10))).toBe(false);
    expect(verifies(Curve.generateKeyPair().public, message)).toBe(false);
  }
});
