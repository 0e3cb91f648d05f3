import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { agree, generateKeyPair } from './x25519.js';

test('key pairs are those of Node.js', () => {
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

test('as many key pairs as several links take are made one after the other', () => {
  const keys = new Set<string>();
  for (let count = 0; count < 5_000; count += 1) keys.add(generateKeyPair().publicKey.toString('hex'));
  expect(keys.size).toBe(5_000);
});
