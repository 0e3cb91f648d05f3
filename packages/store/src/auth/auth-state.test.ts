import {
  type AuthenticationCreds,
  initAuthCreds,
  type SignalDataSet,
  type SignalDataTypeMap,
} from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { type Fence, FencedError } from '../redis/session-ref.js';
import { SessionDirectory } from '../sessions/session-directory.js';
import { claimed, everythingIn, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { AuthCache } from './auth-cache.js';
import { AuthStateStore, deleteAuthState } from './auth-state.js';
import { Cipher, SealedValueError } from './cipher.js';

const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const desk = { tenantId: 'tnt_a', sessionId: 'desk' };
const cipher = Cipher.fromHexKeys('5a'.repeat(32));

function storeOf(fence: Fence, withCipher = cipher): AuthStateStore {
  return new AuthStateStore({ redis: fixture.redis, cipher: withCipher, fence });
}

function neverFresh(): AuthenticationCreds {
  throw new Error('credentials are stored, so no fresh ones are needed');
}

test('a new session gets fresh credentials, which come back once they were saved', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const store = storeOf(fence);
  const { creds, isNew } = await store.load(initAuthCreds);
  expect(isNew).toBe(true);
  expect((await storeOf(fence).load(initAuthCreds)).isNew).toBe(true);

  creds.me = { id: '15551234567@s.whatsapp.net' };
  await store.saveCreds();
  const loaded = await storeOf(fence).load(neverFresh);
  expect(loaded.isNew).toBe(false);
  expect(loaded.creds.me).toEqual(creds.me);
  expect(Buffer.from(loaded.creds.noiseKey.private)).toEqual(Buffer.from(creds.noiseKey.private));
});

const bytes = Buffer.from('bytes');

test.each<[keyof SignalDataTypeMap, SignalDataSet]>([
  ['pre-key', { 'pre-key': { sound: { public: bytes, private: bytes } } }],
  ['session', { session: { sound: bytes } }],
  ['sender-key', { 'sender-key': { sound: Buffer.from('[{"senderKeyId":1}]') } }],
  ['sender-key', { 'sender-key': { sound: Buffer.from('[]') } }],
  ['sender-key-memory', { 'sender-key-memory': { sound: { '1555@s.whatsapp.net': true } } }],
  ['app-state-sync-key', { 'app-state-sync-key': { sound: { keyData: bytes } } }],
  [
    'app-state-sync-version',
    { 'app-state-sync-version': { sound: { version: 1, hash: bytes, indexValueMap: {} } } },
  ],
  ['lid-mapping', { 'lid-mapping': { sound: '1555' } }],
  ['device-list', { 'device-list': { sound: ['0', '7'] } }],
  ['tctoken', { tctoken: { sound: { token: bytes, senderTimestamp: 1 } } }],
  ['identity-key', { 'identity-key': { sound: bytes } }],
])('malformed records of the type %s are missing, and a sound one is not', async (type, sound) => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const { keys: signal } = await storeOf(fence).load(initAuthCreds);
  await signal.set(sound);
  const scope = cipher.sessionScope(fence);
  const forms = ['', '\u0001{', '\u0002later', '\u00017', '\u0001null', '\u0001true', '\u0001[7]'];
  for (const [id, form] of forms.entries()) {
    const field = `${type}:${id}`;
    await fixture.redis.hset(keys.auth(shop), field, scope.seal(Buffer.from(form), field));
  }
  expect(await signal.get(type, ['sound', ...forms.keys()].map(String))).toEqual(sound[type]);
});

test.each([
  ['nothing', 'null'],
  ['an empty object', '{}'],
  ['a list', '[]'],
  ['a text', '"later"'],
  ['no JSON', '{'],
  ['another form of key', '{"noiseKey":"later","signedIdentityKey":"later"}'],
])('credentials that open and are %s are refused by name', async (_what, text) => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const sealed = cipher.sessionScope(fence).seal(Buffer.from(`\u0001${text}`), 'creds');
  await fixture.redis.hset(keys.auth(shop), 'creds', sealed);
  await expect(storeOf(fence).load(neverFresh)).rejects.toThrow(/malformed|JSON/);
});

test.each<[string, object]>([
  ['a link without an account', { me: undefined, account: {} }],
  ['an account without an id', { me: { name: 'Anna' }, account: {} }],
  ['an id that is none', { me: { id: 'later' }, account: {} }],
])('credentials with %s are refused by name', async (_what, change) => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const store = storeOf(fence);
  const { creds } = await store.load(initAuthCreds);
  Object.assign(creds, change);
  await store.saveCreds();
  await expect(storeOf(fence).load(neverFresh)).rejects.toThrow('malformed');
});

test('a pair of number and LID that cannot be read is missing, and no other record is', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const store = storeOf(fence);
  const { keys: signal } = await store.load(initAuthCreds);
  await signal.set({ 'lid-mapping': { good: '1555' } });
  const scope = cipher.sessionScope(fence);
  const forms = {
    text: '\u0001{',
    number: '\u00017',
    object: '\u0001{"user":"1"}',
    bytes: '\u0000ab',
    empty: '',
  };
  for (const [id, form] of Object.entries(forms)) {
    const field = `lid-mapping:${id}`;
    await fixture.redis.hset(keys.auth(shop), field, scope.seal(Buffer.from(form), field));
  }
  await fixture.redis.hset(keys.auth(shop), 'lid-mapping:damaged', 'damaged', 'session:damaged', 'damaged');
  const ids = ['good', 'damaged', ...Object.keys(forms)];
  expect(await store.readRecords('lid-mapping', ids)).toEqual(['1555', ...ids.slice(1).map(() => undefined)]);
  expect(await signal.get('lid-mapping', ids)).toEqual({ good: '1555' });
  await expect(signal.get('session', ['damaged'])).rejects.toThrow(SealedValueError);
});

test('Signal records of each type come back, deleted and unknown ones do not', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const { keys: signal } = await storeOf(fence).load(initAuthCreds);
  const bytes = Buffer.from([1, 2, 3]);
  const records: SignalDataSet = {
    'pre-key': { '1': { public: bytes, private: bytes }, '2': { public: bytes, private: bytes } },
    session: { 'peer.0:1': bytes },
    'sender-key-memory': { 'group@g.us': { 'a@lid': true } },
    'app-state-sync-version': {
      regular: { version: 3, hash: bytes, indexValueMap: { x: { valueMac: bytes } } },
    },
    'lid-mapping': { '1555': '9999' },
    'device-list': { '1555': ['0', '7'] },
    'identity-key': { 'peer.0': bytes },
    tctoken: { peer: { token: bytes, timestamp: '12' } },
  };
  await signal.set(records);
  const { keys: again } = await storeOf(fence).load(initAuthCreds);
  expect(await again.get('pre-key', ['2', '3', '1'])).toEqual(records['pre-key']);
  expect(await again.get('session', ['peer.0:1'])).toEqual(records.session);
  expect(await again.get('sender-key-memory', ['group@g.us'])).toEqual(records['sender-key-memory']);
  expect(await again.get('app-state-sync-version', ['regular'])).toEqual(records['app-state-sync-version']);
  expect(await again.get('lid-mapping', ['1555'])).toEqual(records['lid-mapping']);
  expect(await again.get('device-list', ['1555'])).toEqual(records['device-list']);
  expect(await again.get('tctoken', ['peer'])).toEqual(records.tctoken);
  expect(await again.get('identity-key', [])).toEqual({});

  await again.set({ 'pre-key': { '1': null }, session: { 'peer.0:1': null } });
  expect(await signal.get('pre-key', ['1', '2'])).toEqual({ '2': records['pre-key']?.['2'] });
  expect(await signal.get('session', ['peer.0:1'])).toEqual({});
});

test('a set of very many records is written at once', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const { keys: signal } = await storeOf(fence).load(initAuthCreds);
  const ids = Array.from({ length: 12_345 }, (_, index) => String(index));
  await signal.set({ 'lid-mapping': Object.fromEntries(ids.map((id) => [id, `lid-${id}`])) });
  const stored = await signal.get('lid-mapping', ids);
  expect(Object.keys(stored)).toHaveLength(ids.length);
  expect(stored['12344']).toBe('lid-12344');
  await signal.set({ 'lid-mapping': Object.fromEntries(ids.slice(1).map((id) => [id, null])) });
  expect(await fixture.redis.hkeys(keys.auth(shop))).toEqual(['lid-mapping:0']);
});

test('concurrent saves end with the latest credentials', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const store = storeOf(fence);
  const { creds, keys: signal } = await store.load(initAuthCreds);
  // Simulates a restart of Redis: Redis does not know the script of the first writes.
  await fixture.redis.script('FLUSH');
  const writes: unknown[] = [];
  for (let round = 1; round <= 20; round++) {
    creds.nextPreKeyId = round;
    writes.push(store.saveCreds(), signal.set({ 'lid-mapping': { peer: String(round) } }));
  }
  await Promise.all(writes);
  const loaded = await storeOf(fence).load(neverFresh);
  expect(loaded.creds.nextPreKeyId).toBe(20);
  expect(await loaded.keys.get('lid-mapping', ['peer'])).toEqual({ peer: '20' });
});

test('nothing in Redis shows a key: not raw, not in hex, not in base64', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const store = storeOf(fence);
  const { creds, keys: signal } = await store.load(initAuthCreds);
  const preKey = Buffer.from('pre-key with 32 well-known bytes');
  const session = Buffer.from('a Signal session with its chains');
  await store.saveCreds();
  await signal.set({ 'pre-key': { '1': { public: preKey, private: preKey } }, session: { peer: session } });

  const dump = await everythingIn(fixture.redis);
  expect(dump.includes('pre-key:1')).toBe(true);
  const secrets = [
    preKey,
    session,
    Buffer.from(creds.noiseKey.private),
    Buffer.from(creds.signedIdentityKey.private),
    Buffer.from(creds.signedPreKey.keyPair.private),
    Buffer.from(creds.advSecretKey, 'base64'),
  ];
  for (const secret of secrets) {
    const part = secret.subarray(0, 12);
    for (const form of [part, part.toString('hex'), part.toString('base64')]) {
      expect(dump.includes(form)).toBe(false);
    }
  }
});

test('a value that was moved or damaged, or another key, is refused', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const { keys: signal } = await storeOf(fence).load(initAuthCreds);
  await storeOf(fence).load(initAuthCreds);
  await signal.set({ session: { a: Buffer.from('a'), b: Buffer.from('b') } });

  const wrongKey = await storeOf(fence, Cipher.fromHexKeys('00'.repeat(32))).load(initAuthCreds);
  await expect(wrongKey.keys.get('session', ['a'])).rejects.toThrow(SealedValueError);

  const sealed = await fixture.redis.hgetBuffer(keys.auth(shop), 'session:a');
  await fixture.redis.hset(keys.auth(shop), 'session:b', sealed ?? '');
  await expect(signal.get('session', ['b'])).rejects.toThrow(SealedValueError);
  expect(await signal.get('session', ['a'])).toEqual({ a: Buffer.from('a') });

  const other = await ownedSession(fixture.redis, desk, 'wrk_a');
  await fixture.redis.hset(keys.auth(desk), 'session:a', sealed ?? '');
  const { keys: otherSignal } = await storeOf(other).load(initAuthCreds);
  await expect(otherSignal.get('session', ['a'])).rejects.toThrow(SealedValueError);

  await fixture.redis.hset(keys.auth(shop), 'creds', 'no sealed value');
  await expect(storeOf(fence).load(neverFresh)).rejects.toThrow(SealedValueError);
});

test('deleting the credentials leaves the session and its ownership', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const store = storeOf(fence);
  await store.load(initAuthCreds);
  await store.saveCreds();
  await deleteAuthState(fixture.redis, fence);
  expect(await fixture.redis.exists(keys.auth(shop))).toBe(0);
  expect((await storeOf(fence).load(initAuthCreds)).isNew).toBe(true);
  expect(await new SessionDirectory(fixture.redis).get(shop)).toMatchObject({ worker: 'wrk_a' });
});

/** How often Redis was asked for credentials since it started. */
async function reads(): Promise<number> {
  const stats = await fixture.redis.info('commandstats');
  return Number(/^cmdstat_hmget:calls=(\d+)/m.exec(stats)?.[1] ?? 0);
}

describe('with a cache', () => {
  const cache = new AuthCache({ maxBytes: 1_000_000 });
  const bytes = Buffer.from('a Signal session');

  async function cached(worker: string, previous?: string) {
    const fence =
      previous === undefined
        ? await ownedSession(fixture.redis, shop, worker)
        : await claimed(fixture.redis, shop, worker, previous);
    const store = new AuthStateStore({ redis: fixture.redis, cipher, fence, cache });
    return { store, ...(await store.load(initAuthCreds)) };
  }

  test('a field that was read or written, or is known to be absent, is not read from Redis again', async () => {
    const { keys: signal } = await cached('wrk_a');
    await signal.set({ session: { a: bytes }, 'lid-mapping': { p: 'l' }, 'pre-key': { 1: null } });
    await signal.get('session', ['b']);
    const before = await reads();
    for (let message = 0; message < 10; message++) {
      expect(await signal.get('session', ['a', 'b'])).toEqual({ a: bytes });
      expect(await signal.get('lid-mapping', ['p'])).toEqual({ p: 'l' });
    }
    expect(await reads()).toBe(before);
    await signal.get('pre-key', ['1']);
    await signal.get('pre-key', ['1']);
    expect(await reads()).toBe(before + 2);
  });

  test('what a caller does to a value changes nothing for the next one', async () => {
    const { keys: signal } = await cached('wrk_a');
    await signal.set({ session: { a: bytes }, 'device-list': { p: ['0', '7'] } });
    const { a } = await signal.get('session', ['a']);
    a?.fill(0);
    const { p } = await signal.get('device-list', ['p']);
    p?.push('9');
    expect(await signal.get('session', ['a'])).toEqual({ a: bytes });
    expect(await signal.get('device-list', ['p'])).toEqual({ p: ['0', '7'] });
  });

  test('a write is read from Redis until it is there, and from the cache then', async () => {
    const { keys: signal } = await cached('wrk_a');
    for (let round = 0; round < 20; round++) {
      const mapping = { 'lid-mapping': { p: `l${round}` } };
      const [during] = await Promise.all([signal.get('lid-mapping', ['p']), signal.set(mapping)]);
      expect([undefined, `l${round - 1}`, `l${round}`]).toContain(during.p);
      expect(await signal.get('lid-mapping', ['p'])).toEqual({ p: `l${round}` });
    }
  });

  test('a write that the fence refused empties it', async () => {
    const { keys: stale } = await cached('wrk_a');
    await stale.set({ session: { a: bytes } });
    const { keys: owner } = await cached('wrk_b', 'wrk_a');
    const newer = Buffer.from('what the new owner stored');
    await owner.set({ session: { a: newer } });
    expect(await stale.get('session', ['a'])).toEqual({ a: bytes });
    await expect(stale.set({ session: { b: bytes } })).rejects.toThrow(FencedError);
    expect(await stale.get('session', ['a', 'b'])).toEqual({ a: newer });
  });

  test('a discarded session leaves nothing in it', async () => {
    const own = new AuthCache({ maxBytes: 1_000_000 });
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    const store = new AuthStateStore({ redis: fixture.redis, cipher, fence, cache: own });
    const { keys: signal } = await store.load(initAuthCreds);
    await signal.set({ session: { a: bytes } });
    expect(own.bytes).toBeGreaterThan(0);
    store.discard();
    await signal.get('session', ['a']);
    expect(own.bytes).toBe(0);
  });
});

describe('while keys are rotated', () => {
  const [oldKey, newKey] = ['5a'.repeat(32), 'c3'.repeat(32)];
  const [before, during, after] = [oldKey, `${newKey},${oldKey}`, newKey].map((list) =>
    Cipher.fromHexKeys(list),
  );

  test('everything opens with either key, and after resealing with the new one alone', async () => {
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    const old = storeOf(fence, before);
    const { creds, keys: signal } = await old.load(initAuthCreds);
    await old.saveCreds();
    const ids = Array.from({ length: 500 }, (_, index) => String(index));
    await signal.set({ 'lid-mapping': Object.fromEntries(ids.map((id) => [id, `lid-${id}`])) });

    const both = storeOf(fence, during);
    const loaded = await both.load(neverFresh);
    expect(loaded.creds.registrationId).toBe(creds.registrationId);
    // Resealing does not undo a write that happens at the same time.
    const [outcome] = await Promise.all([
      both.reseal(),
      loaded.keys.set({ 'lid-mapping': { 499: 'newer', 498: null } }),
    ]);
    expect(outcome.unreadable).toBe(0);
    expect(outcome.resealed).toBeGreaterThanOrEqual(499);
    expect(await both.reseal()).toEqual({ resealed: 0, unreadable: 0 });

    const { keys: later } = await storeOf(fence, after).load(neverFresh);
    expect(await later.get('lid-mapping', ['0', '498', '499'])).toEqual({ 0: 'lid-0', 499: 'newer' });
  });

  test('a value that none of the keys opens is left unchanged', async () => {
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    const { keys: signal } = await storeOf(fence, Cipher.fromHexKeys('77'.repeat(32))).load(initAuthCreds);
    await signal.set({ session: { a: Buffer.from('a') } });
    const dump = await everythingIn(fixture.redis);
    expect(await storeOf(fence, during).reseal()).toEqual({ resealed: 0, unreadable: 1 });
    expect((await everythingIn(fixture.redis)).equals(dump)).toBe(true);
  });
});
