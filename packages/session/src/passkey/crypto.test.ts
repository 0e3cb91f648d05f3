import { Curve } from '@whiskeysockets/baileys';
import { expect, it } from 'vitest';
import { confirmationCode, handoffKey, handoffProof, prologuePayload, sealPairingRequest } from './crypto.js';

/** Values that were computed with node:crypto from the description of the protocol alone. */
const bytes = (hex: string) => Buffer.from(hex.repeat(32), 'hex');
const fromHex = (hex: string) => Buffer.from(hex, 'hex');

const name = { deviceType: 1, ref: 'REF-XYZ' };
const keys = {
  ephemeral: {
    private: bytes('11'),
    public: fromHex('7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13'),
  },
  nonce: bytes('33'),
  advSecret: bytes('66'),
};
const primary = {
  publicKey: fromHex('0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20'),
  nonce: bytes('44'),
};
const identity = '0a207b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f1310011a075245462d58595a';
const commitment = '6c6170554aa6c086100ec0fa809a535c9628d5aa3fe8e28899ace789bbd84e0f';

it('commits to the nonce in the prologue', () => {
  expect(Buffer.from(prologuePayload(name, keys)).toString('hex')).toBe(
    `0a2d${identity}12220a20${commitment}`,
  );
});

it('proves the handoff with the secret of the code that the phone has read', () => {
  const key = handoffKey(bytes('55'));
  expect(key.toString('hex')).toBe('573a1b8d099e43c0b9e9d4bf6bd2b96ccb89579b524177d296337a277bc8b513');
  expect(handoffProof(key, prologuePayload(name, keys)).toString('hex')).toBe(
    '020ad2ed4452ba90c4950986dc466b50dec0d36a8b519e09fefd4c2ddf39a271',
  );
});

it('shows the code that the phone shows', () => {
  expect(confirmationCode(keys.nonce, primary)).toBe('PYSL-SH11');
});

it('seals the keys for the phone', () => {
  expect(Curve.sharedKey(keys.ephemeral.private, primary.publicKey).toString('hex')).toBe(
    '9e004098efc091d4ec2663b4e9f5cfd4d7064571690b4bea97ab146ab9f35056',
  );
  const sealed = sealPairingRequest(primary, name, {
    ...keys,
    noisePublic: bytes('77'),
    identityPublic: bytes('88'),
    iv: Buffer.alloc(12, 0x99),
  });
  expect(Buffer.from(sealed).toString('hex')).toBe(
    '0a767c1becf72b6ad406f1b1263ea9c3436a8d58c8fd830aa6686c778e07fae12fb9c93dd30457b5839576e154034b9176f1da5e255c504e2c3be95622f232c3c6e9a6cd35e78eddc363b3a244cf7227c68c70bce485c9a302029d4dce26e098a3349fa9e2c8c306dbb13390204ad9c4e9af63047c52f490120c999999999999999999999999',
  );
});

it('does not seal for a key with which the secret would be known to everyone', () => {
  const seal = () =>
    sealPairingRequest({ ...primary, publicKey: Buffer.alloc(32) }, name, {
      ...keys,
      noisePublic: bytes('77'),
      identityPublic: bytes('88'),
    });
  expect(seal).toThrow();
});
