import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { agree, generateKeyPair } from './x25519.js';

test('X25519 keys agree as in the test vector of RFC 7748, section 6.1', () => {
  const bytes = (hex: string) => Buffer.from(hex, 'hex');
  const alice = bytes('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
  const bob = bytes('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
  const publicOfAlice = bytes('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
  const publicOfBob = bytes('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
  const secret = bytes('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742');
  expect(agree(alice, bytes('09'.padEnd(64, '0')))).toEqual(publicOfAlice);
  expect(agree(alice, publicOfBob)).toEqual(secret);
  expect(agree(bob, publicOfAlice)).toEqual(secret);
});

test('X25519 key pairs agree with those of Node.js', () => {
  const theirs = generateKeyPairSync('x25519');
  const raw = Buffer.from(theirs.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const ours = generateKeyPair();
  const publicKey = { kty: 'OKP', crv: 'X25519', x: ours.publicKey.toString('base64url') };
  expect(agree(ours.privateKey, raw)).toEqual(
    diffieHellman({
      privateKey: theirs.privateKey,
      publicKey: createPublicKey({ key: publicKey, format: 'jwk' }),
    }),
  );
});

test('5,000 X25519 key pairs are generated one after the other without a deadlock', () => {
  const keys = new Set<string>();
  for (let count = 0; count < 5_000; count += 1) keys.add(generateKeyPair().publicKey.toString('hex'));
  expect(keys.size).toBe(5_000);
});
