import { proto } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import {
  codeOf,
  commitmentOf,
  proofOf,
  publicKeyOf,
  sealed,
  sealingKey,
} from '../testing/companion-crypto.js';
import {
  commitmentTo,
  confirmationCode,
  handoffKey,
  handoffProof,
  pairingRequestKey,
} from './ceremony-keys.js';
import { PhoneSide } from './phone-side.js';
import { readPrologue, readSealedRequest } from './prologue.js';

const bytes = (value: number, length = 32): Buffer => Buffer.alloc(length, value);
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const companionKey = bytes(0x11);
const primaryKey = bytes(0x22);
const companionNonce = bytes(0x33);
const primaryNonce = bytes(0x44);
const secretBefore = bytes(0x55);
const newSecret = bytes(0x66);
const noiseKey = bytes(0x77);
const identityKey = bytes(0x88);
const iv = bytes(0x99, 12);
const name = { deviceType: 1, ref: 'REF-XYZ' };

const companionPublicKey = hex('7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13');
const primaryPublicKey = hex('0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20');
const identity = hex(`0a20${companionPublicKey.toString('hex')}10011a075245462d58595a`);
const commitment = hex('6c6170554aa6c086100ec0fa809a535c9628d5aa3fe8e28899ace789bbd84e0f');
const payload = hex(`0a2d${identity.toString('hex')}12220a20${commitment.toString('hex')}`);
const proof = hex('020ad2ed4452ba90c4950986dc466b50dec0d36a8b519e09fefd4c2ddf39a271');
const requestKey = hex('5ac296d3ba281e7e511a68bcba04194cd02fc3a9ca40dce16cc100a9bdb28bef');
const request = hex(
  `0a20${noiseKey.toString('hex')}1220${identityKey.toString('hex')}1a20${newSecret.toString('hex')}`,
);
const sealedRequest = hex(
  '0a767c1becf72b6ad406f1b1263ea9c3436a8d58c8fd830aa6686c778e07fae12fb9c93dd30457b5839576e154034b9176f1da5e255c504e2c3b' +
    'e95622f232c3c6e9a6cd35e78eddc363b3a244cf7227c68c70bce485c9a302029d4dce26e098a3349fa9e2c8c306dbb13390204ad9c4e9af' +
    '63047c52f490120c999999999999999999999999',
);

test('both sides encode what they send', () => {
  expect(publicKeyOf(companionKey)).toEqual(companionPublicKey);
  expect(publicKeyOf(primaryKey)).toEqual(primaryPublicKey);
  const companion = { publicKey: companionPublicKey, ...name };
  expect(Buffer.from(proto.CompanionEphemeralIdentity.encode(companion).finish())).toEqual(identity);
  expect(readPrologue(payload, proof)).toMatchObject({ ...name, proof });
  expect(Buffer.from(readPrologue(payload, undefined).publicKey)).toEqual(companionPublicKey);
  expect(Buffer.from(readPrologue(payload, undefined).ephemeralIdentity)).toEqual(identity);
});

test('both sides derive the same values', () => {
  expect(commitmentTo(identity, companionNonce)).toEqual(commitment);
  expect(commitmentOf(identity, companionNonce)).toEqual(commitment);
  const key = hex('573a1b8d099e43c0b9e9d4bf6bd2b96ccb89579b524177d296337a277bc8b513');
  expect(handoffKey(secretBefore)).toEqual(key);
  expect(handoffProof(key, payload)).toEqual(proof);
  expect(proofOf(secretBefore, payload)).toEqual(proof);
  expect(confirmationCode(primaryNonce, companionNonce, primaryPublicKey)).toBe('PYSLSH11');
  expect(codeOf(primaryNonce, companionNonce, primaryPublicKey)).toBe('PYSL-SH11');
  expect(pairingRequestKey(primaryKey, companionPublicKey, name)).toEqual(requestKey);
  expect(pairingRequestKey(companionKey, primaryPublicKey, name)).toEqual(requestKey);
  const parties = { ephemeralPrivateKey: companionKey, primaryPublicKey, ...name };
  expect(sealingKey(parties)).toEqual(requestKey);
});

test('the companion seals what the phone opens', () => {
  const encryptedPayload = sealed(requestKey, iv, request);
  expect(Buffer.from(proto.EncryptedPairingRequest.encode({ encryptedPayload, iv }).finish())).toEqual(
    sealedRequest,
  );
  const keyPair = { private: primaryKey, public: primaryPublicKey };
  const phone = new PhoneSide(readPrologue(payload, proof), { keyPair, nonce: primaryNonce });
  expect(phone.isHandedOff(secretBefore)).toBe(true);
  expect(phone.isHandedOff(newSecret)).toBe(false);
  expect(phone.codeFor(companionNonce)).toBe('PYSLSH11');
  const opened = phone.open(readSealedRequest(sealedRequest), { noiseKey, identityKey }, secretBefore);
  expect(Buffer.from(opened)).toEqual(newSecret);
});

test('a public key of low order is refused', () => {
  expect(() => pairingRequestKey(primaryKey, bytes(0), name)).toThrow();
});
