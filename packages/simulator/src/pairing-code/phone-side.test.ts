import { randomBytes } from 'node:crypto';
import {
  aesDecryptCTR,
  aesEncryptCTR,
  aesEncryptGCM,
  Curve,
  derivePairingCodeKey,
  hkdf,
} from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { answerCompanionHello, normalisePairingCode, WrongPairingCodeError } from './phone-side.js';

/** The companion's half as Baileys plays it (requestPairingCode and the notification link_code_companion_reg). */
class Companion {
  readonly #ephemeral = Curve.generateKeyPair();
  readonly identity = Curve.generateKeyPair();
  readonly #code: string;

  constructor(code: string) {
    this.#code = code;
  }

  async hello(): Promise<Buffer> {
    const salt = randomBytes(32);
    const iv = randomBytes(16);
    const key = await derivePairingCodeKey(this.#code, salt);
    return Buffer.concat([salt, iv, aesEncryptCTR(this.#ephemeral.public, key, iv)]);
  }

  async finish(wrapped: Buffer, primaryIdentity: Uint8Array): Promise<{ bundle: Buffer; advSecret: Buffer }> {
    const key = await derivePairingCodeKey(this.#code, wrapped.subarray(0, 32));
    const primaryEphemeral = aesDecryptCTR(wrapped.subarray(48, 80), key, wrapped.subarray(32, 48));
    const secret = Curve.sharedKey(this.#ephemeral.private, primaryEphemeral);
    const random = randomBytes(32);
    const salt = randomBytes(32);
    const iv = randomBytes(12);
    const bundleKey = hkdf(secret, 32, { salt, info: 'link_code_pairing_key_bundle_encryption_key' });
    const payload = Buffer.concat([this.identity.public, primaryIdentity, random]);
    const sealed = aesEncryptGCM(payload, bundleKey, iv, Buffer.alloc(0));
    const identitySecret = Curve.sharedKey(this.identity.private, primaryIdentity);
    const advSecret = hkdf(Buffer.concat([secret, identitySecret, random]), 32, { info: 'adv_secret' });
    return { bundle: Buffer.concat([salt, iv, sealed]), advSecret: Buffer.from(advSecret) };
  }
}

test('both sides derive the same adv secret from the same code', async () => {
  const phone = Curve.generateKeyPair();
  const companion = new Companion('ABCD1234');
  const hello = await answerCompanionHello(await companion.hello(), 'abcd-1234', phone);
  const { bundle, advSecret } = await companion.finish(hello.wrappedPrimaryEphemeral, phone.public);
  const result = hello.finish(bundle);
  expect(result.advSecret).toEqual(advSecret);
  expect(result.companionIdentityKey.equals(companion.identity.public)).toBe(true);
});

test('the phone refuses a companion that shows another code', async () => {
  const phone = Curve.generateKeyPair();
  const companion = new Companion('ABCD1234');
  const hello = await answerCompanionHello(await companion.hello(), 'ABCD1235', phone);
  const { bundle } = await companion.finish(hello.wrappedPrimaryEphemeral, phone.public);
  expect(() => hello.finish(bundle)).toThrow(WrongPairingCodeError);
});

test('the phone refuses a companion that answered another phone', async () => {
  const phone = Curve.generateKeyPair();
  const companion = new Companion('ABCD1234');
  const hello = await answerCompanionHello(await companion.hello(), 'ABCD1234', phone);
  const { bundle } = await companion.finish(hello.wrappedPrimaryEphemeral, Curve.generateKeyPair().public);
  expect(() => hello.finish(bundle)).toThrow(WrongPairingCodeError);
});

test('a code is read as people type it', () => {
  expect(normalisePairingCode(' abcd-12 34 ')).toBe('ABCD1234');
});
