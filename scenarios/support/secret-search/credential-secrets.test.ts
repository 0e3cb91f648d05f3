import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { credentialSecrets } from './credential-secrets.js';
import { messageSecrets } from './message-secrets.js';

const OWNER = 'tnt_1/shop';
const key = randomBytes(32);
const text = key.toString('base64');

function namesIn(field: string, value: unknown): string[] {
  return [...credentialSecrets(field, value, OWNER)].map(({ name, bytes }) => {
    expect(bytes).toEqual(key);
    return name;
  });
}

it('treats all bytes of credentials as secrets unless they are known to be public', () => {
  const creds = {
    noiseKey: { private: key, public: randomBytes(32) },
    signedPreKey: {
      keyPair: { private: key, public: randomBytes(32) },
      signature: randomBytes(64),
      keyId: 1,
    },
    advSecretKey: text,
    account: { details: randomBytes(20), accountSignature: randomBytes(64) },
    somethingNew: [{ inside: key }],
    me: { id: '15551234567:1@s.whatsapp.net', name: 'Anna' },
    short: randomBytes(15),
    nothing: null,
  };
  expect(namesIn('creds', creds)).toEqual([
    'creds.noiseKey.private',
    'creds.signedPreKey.keyPair.private',
    'creds.advSecretKey',
    'creds.somethingNew.*.inside',
  ]);
  const kinds = [...credentialSecrets('creds', creds, OWNER)].map(({ kind }) => kind);
  expect(kinds).toEqual(['credential', 'credential', 'adv-secret', 'credential']);
});

it('finds bytes in the records of libsignal, whether as base64 or as JSON of numbers', () => {
  const peer = randomBytes(33).toString('base64');
  const record = {
    version: 'v1',
    _sessions: {
      [peer]: {
        currentRatchet: {
          rootKey: text,
          lastRemoteEphemeralKey: peer,
          ephemeralKeyPair: { pubKey: peer, privKey: text },
        },
        _chains: { [peer]: { chainKey: { counter: 1, key: text }, messageKeys: { 3: text } } },
      },
    },
  };
  expect(namesIn('session:1_1.0', record)).toEqual([
    'session._sessions.*.currentRatchet.rootKey',
    'session._sessions.*.currentRatchet.ephemeralKeyPair.privKey',
    'session._sessions.*._chains.*.chainKey.key',
    'session._sessions.*._chains.*.messageKeys.*',
  ]);
  const states = Buffer.from(
    JSON.stringify([{ senderSigningKey: { private: key, public: randomBytes(33) } }]),
  );
  expect(namesIn('sender-key:g', states)).toEqual(['sender-key.*.senderSigningKey.private.data']);
});

it('leaves out what is public or a state', () => {
  expect(namesIn('identity-key:1', key)).toEqual([]);
  expect(namesIn('app-state-sync-version:regular', { hash: key })).toEqual([]);
});

/** A field of protobuf that holds bytes. */
function field(number: number, bytes: Uint8Array): Buffer {
  const tag = (number << 3) | 2;
  const head = tag < 128 ? [tag] : [(tag & 0x7f) | 0x80, tag >>> 7];
  return Buffer.concat([Buffer.from([...head, bytes.length]), bytes]);
}

it('finds the secret of a message, also in one that was sent to a device, padded', () => {
  const secretsIn = (message: Buffer) => [...messageSecrets(message, OWNER)].map(({ bytes }) => bytes);
  const message = Buffer.concat([field(1, Buffer.from('hello')), field(35, field(3, key))]);
  const padding = Buffer.alloc(7, 7);
  expect(secretsIn(Buffer.concat([message, padding]))).toEqual([key]);
  expect(secretsIn(field(31, field(2, message)))).toEqual([key]);
  expect(secretsIn(field(3, key))).toEqual([]);
  expect(secretsIn(field(35, field(3, key.subarray(1))))).toEqual([]);
  expect(secretsIn(randomBytes(1_000))).toEqual([]);
});
