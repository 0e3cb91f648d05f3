import { Curve, generateSignalPubKey, initAuthCreds, signedKeyPair } from '@whiskeysockets/baileys';
import { beforeAll, describe, expect, test } from 'vitest';
import { SignalAccount } from '../../testing/signal-account.js';
import { curveModule, signalCurveModule } from '../internals.js';
import { installPatches } from './install.js';

const GROUP = '1234@g.us';

const curve = curveModule();
const signalCurve = signalCurveModule();
/** The original functions, before any patch in this process. */
const original = { curve: { ...curve }, signalCurve: { ...signalCurve }, baileys: { ...Curve } };
/** How often each of the functions was called. */
const calls = { sign: 0, verify: 0, agreement: 0, keyPair: 0 };

function counted<Args extends unknown[], R>(kind: keyof typeof calls, work: (...args: Args) => R) {
  return (...args: Args): R => {
    calls[kind] += 1;
    return work(...args);
  };
}

beforeAll(() => {
  Object.assign(curve, {
    sign: counted('sign', curve.sign),
    verify: counted('verify', curve.verify),
  });
  Object.assign(signalCurve, {
    calculateAgreement: counted('agreement', signalCurve.calculateAgreement),
    generateKeyPair: counted('keyPair', signalCurve.generateKeyPair),
  });
  Object.assign(Curve, {
    sharedKey: counted('agreement', Curve.sharedKey),
    generateKeyPair: counted('keyPair', Curve.generateKeyPair),
  });
});

/** Runs everything in Baileys and libsignal that uses the curve. Returns the calls of their own functions. */
async function callsOfTheOriginal(): Promise<typeof calls> {
  Object.assign(calls, { sign: 0, verify: 0, agreement: 0, keyPair: 0 });
  const [ours, theirs] = [Curve.generateKeyPair(), Curve.generateKeyPair()];
  const secret = original.baileys.sharedKey(theirs.private, ours.public);
  expect(Curve.sharedKey(ours.private, theirs.public)).toEqual(secret);
  const { keyPair, signature } = signedKeyPair(ours, 1);
  const signed = generateSignalPubKey(keyPair.public);
  expect(Curve.verify(ours.public, signed, signature)).toBe(true);
  expect(original.curve.verify(ours.public, signed, signature)).toBe(true);

  const [sender, receiver] = await Promise.all([
    SignalAccount.create('100000', initAuthCreds()),
    SignalAccount.create('200000', initAuthCreds()),
  ]);
  await sender.begin(receiver);
  expect(await receiver.decrypt(sender, await sender.encrypt(receiver, 'hello'))).toBe('hello');
  expect(await sender.decrypt(receiver, await receiver.encrypt(sender, 'hi'))).toBe('hi');

  const sent = { group: GROUP, meId: sender.jid, data: Buffer.from('hello') };
  const { ciphertext, senderKeyDistributionMessage } = await sender.repository.encryptGroupMessage(sent);
  await receiver.repository.processSenderKeyDistributionMessage({
    authorJid: sender.jid,
    item: { groupId: GROUP, axolotlSenderKeyDistributionMessage: senderKeyDistributionMessage },
  });
  const received = { group: GROUP, authorJid: sender.jid, msg: ciphertext };
  expect(Buffer.from(await receiver.repository.decryptGroupMessage(received)).toString()).toBe('hello');
  const forged = { ...received, msg: Uint8Array.from(ciphertext).fill(1, -64) };
  await expect(receiver.repository.decryptGroupMessage(forged)).rejects.toThrow('Invalid signature!');
  return { ...calls };
}

// This comes first: the patches cannot be undone.
test('without the patches, Baileys uses its own functions', async () => {
  const { sign, verify, agreement, keyPair } = await callsOfTheOriginal();
  expect({ sign, verify }).toEqual({ sign: 4, verify: 3 });
  expect(agreement).toBeGreaterThan(8);
  expect(keyPair).toBeGreaterThan(8);
});

describe('once the patches are installed', () => {
  beforeAll(() => installPatches());

  test('Baileys and libsignal compute natively, and understand the original', async () => {
    expect(await callsOfTheOriginal()).toEqual({ sign: 0, verify: 0, agreement: 0, keyPair: 0 });
    const theirs = original.signalCurve.generateKeyPair();
    const ours = signalCurve.generateKeyPair();
    expect(ours.pubKey).toHaveLength(33);
    expect(ours.pubKey[0]).toBe(5);
    expect(signalCurve.calculateAgreement(theirs.pubKey, ours.privKey)).toEqual(
      original.signalCurve.calculateAgreement(ours.pubKey, theirs.privKey),
    );
  });

  test('arguments that are not valid keys, messages or signatures fail as before', () => {
    const key = Buffer.alloc(32, 7);
    const message = Buffer.from('hello');
    const signature = Buffer.alloc(64, 9);
    const wrong = [undefined, null, '', 'text', 5, {}, [1, 2], new ArrayBuffer(32), new Uint16Array(32)];
    const wrongLengths = [0, 31, 33, 63, 65].map((length) => Buffer.alloc(length));
    for (const value of [...wrong, ...wrongLengths]) {
      sameOutcome(curve, original.curve, ({ verify }) => verify(value, message, signature));
      sameOutcome(curve, original.curve, ({ verify }) => verify(key, message, value));
      sameOutcome(curve, original.curve, ({ sign }) => sign(value, message));
      sameOutcome(curve, original.curve, ({ sign }) => sign(key, message, value || Buffer.alloc(1)));
    }
    for (const value of wrong) {
      sameOutcome(curve, original.curve, ({ verify }) => verify(key, value, signature));
      sameOutcome(curve, original.curve, ({ sign }) => sign(key, value));
    }
  });

  test('key agreement fails as before with invalid keys and with keys of small order', () => {
    const { privKey, pubKey } = original.signalCurve.generateKeyPair();
    const typed = (u: string) => Buffer.concat([Buffer.from([5]), Buffer.from(u, 'hex')]);
    const notReduced = typed(`f0${'ff'.repeat(30)}7f`);
    const publicKeys = [
      ...[undefined, 'text', pubKey.subarray(1, 20), Uint8Array.from(pubKey), Buffer.alloc(33, 6)],
      ...[typed('00'.repeat(32)), typed(`01${'00'.repeat(31)}`)],
      ...[notReduced, typed('ff'.repeat(32)), typed('09'.padEnd(64, '0'))],
    ];
    for (const value of publicKeys) {
      sameOutcome(signalCurve, original.signalCurve, (module) => module.calculateAgreement(value, privKey));
    }
    for (const value of [
      undefined,
      'text',
      privKey.subarray(1),
      Uint8Array.from(privKey),
      Buffer.alloc(32),
    ]) {
      sameOutcome(signalCurve, original.signalCurve, (module) => module.calculateAgreement(pubKey, value));
    }
  });
});

function sameOutcome<T>(ours: T, theirs: T, work: (module: T) => unknown): void {
  const outcome = (module: T) => {
    try {
      return { answer: work(module) };
    } catch (error) {
      return { error: String(error) };
    }
  };
  expect(outcome(ours)).toEqual(outcome(theirs));
}
