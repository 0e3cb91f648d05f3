import { initAuthCreds } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { AccountDevices } from '../accounts/account-devices.js';
import { AuthStateStore } from '../auth/auth-state.js';
import { Cipher, SealedValueError } from '../auth/cipher.js';
import { verifyEncryptionKey } from '../auth/encryption-check.js';
import { keys } from '../redis/keyspace.js';
import { SessionDirectory } from '../sessions/session-directory.js';
import { SessionSettingsRecords } from '../settings/session-settings-records.js';
import { SessionSettingsStore } from '../settings/session-settings-store.js';
import { claimed, everythingIn, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { type ImportedSession, SessionImports } from './session-imports.js';

const fixture = useRedis();
const cipher = Cipher.fromHexKeys('07'.repeat(32));
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const other = { tenantId: 'tnt_b', sessionId: 'other' };
const device = '15551230001:3';
const token = Buffer.from('a record that only workers read');

function session(
  creds = { ...initAuthCreds(), me: { id: `${device}@s.whatsapp.net` }, account: {} },
): ImportedSession {
  const records = new Map<string, Map<string, unknown>>([
    ['tctoken', new Map([['15551230002@s.whatsapp.net', { token }]])],
    ['device-list', new Map([['15551230002', 'malformed']])],
  ]);
  return { creds, keys: records, phone: '15551230001', device };
}

async function imports(): Promise<SessionImports> {
  await verifyEncryptionKey(fixture.redis, cipher);
  return new SessionImports({ redis: fixture.redis, directory: directoryOf() });
}

function directoryOf(): SessionDirectory {
  return new SessionDirectory(fixture.redis);
}

describe('an import', () => {
  test('creates a session that has its credentials when the first worker opens it', async () => {
    const creds = { ...initAuthCreds(), me: { id: `${device}@s.whatsapp.net` }, account: {} };
    await (await imports()).create(shop, session(creds), { name: 'Shop' });
    expect(await directoryOf().get(shop)).toMatchObject({
      ...{ status: 'queued', desired: 'open', phone: '15551230001', device, name: 'Shop' },
      importedAt: expect.any(Number),
    });
    expect((await everythingIn(fixture.redis)).includes(token)).toBe(false);
    for (const worker of ['wrk_a', 'wrk_a']) {
      const fence = await claimed(fixture.redis, shop, worker);
      const store = new AuthStateStore({ redis: fixture.redis, cipher, fence });
      const state = await store.load(() => {
        throw new Error('there are no credentials');
      });
      expect(state.creds).toMatchObject({ noiseKey: creds.noiseKey, me: { id: `${device}@s.whatsapp.net` } });
      expect(await state.keys.get('tctoken', ['15551230002@s.whatsapp.net'])).toEqual({
        '15551230002@s.whatsapp.net': { token },
      });
      const all = await store.readAll();
      expect([...all.keys.keys()]).toEqual(['tctoken']);
    }
    expect((await fixture.redis.hkeys(keys.auth(shop))).sort()).toEqual([
      'creds',
      'tctoken:15551230002@s.whatsapp.net',
    ]);
  });

  test('has its settings and its proxy before any worker opens it', async () => {
    const all = await imports();
    const { redis } = fixture;
    const proxy = 'http://ann:top-secret@proxy.example:3128';
    const sealed = await new SessionSettingsRecords(redis).sealProxy(shop, proxy);
    const plain = { settings: { online: true } };
    await all.create(shop, session(), { name: 'Shop', settings: { plain, proxy: sealed } });
    const stored = new SessionSettingsStore({ redis, cipher });
    expect(await stored.read(shop)).toMatchObject({ proxy, settings: { online: true }, version: 1 });
    expect(await redis.hkeys(keys.auth(shop))).toEqual(['import']);
    expect(await directoryOf().get(shop)).toMatchObject({ name: 'Shop', phone: '15551230001', device });
    expect(await directoryOf().get(shop)).not.toHaveProperty('link');
    await directoryOf().purge(shop);
    expect(await redis.exists(keys.auth(shop), keys.settings(shop))).toBe(0);
  });

  test('is opened by no worker with another key, and by none for another session', async () => {
    await (await imports()).create(shop, session());
    const fence = await claimed(fixture.redis, shop, 'wrk_a');
    const strange = Cipher.fromHexKeys('08'.repeat(32));
    const load = (store: AuthStateStore) => store.load(initAuthCreds);
    const { redis } = fixture;
    await expect(load(new AuthStateStore({ redis, cipher: strange, fence }))).rejects.toThrow(
      SealedValueError,
    );
    const copied = await ownedSession(redis, other, 'wrk_a');
    await redis.copy(keys.auth(shop), keys.auth(other), 'REPLACE');
    await expect(load(new AuthStateStore({ redis, cipher, fence: copied }))).rejects.toThrow(
      SealedValueError,
    );
  });

  test('is refused while a session has the device, and stores nothing then', async () => {
    const all = await imports();
    await all.create(shop, session());
    const before = await everythingIn(fixture.redis);
    await expect(all.create(other, session())).rejects.toMatchObject({ code: 'ACCOUNT_IN_USE' });
    expect((await everythingIn(fixture.redis)).equals(before)).toBe(true);
    expect(await directoryOf().get(other)).toBeUndefined();
    expect(await fixture.redis.exists(keys.auth(other))).toBe(0);
  });

  test('leaves no reservation if the session cannot be created', async () => {
    const all = await imports();
    await expect(all.create(shop, session(), { maxSessions: 0 })).rejects.toMatchObject({
      code: 'TOO_MANY_SESSIONS',
    });
    await directoryOf().create(shop);
    await expect(all.create(shop, session())).rejects.toMatchObject({ code: 'SESSION_EXISTS' });
    await all.create(other, session());
  });

  test('of two at the same time, one succeeds', async () => {
    const all = await imports();
    const attempts = await Promise.allSettled([all.create(shop, session()), all.create(other, session())]);
    expect(attempts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('is possible again when the session was removed, logged out, or has another device', async () => {
    const all = await imports();
    const directory = directoryOf();
    await all.create(shop, session());
    await directory.purge(shop);
    await all.create(shop, session());
    const fence = await claimed(fixture.redis, shop, 'wrk_a');
    await directory.setStatus(fence, { status: 'logged_out', phone: null });
    await all.create(other, session());
    await directory.purge(other);
    await directory.setStatus(fence, { status: 'open', phone: '15551230001', device });
    await expect(all.create(other, session())).rejects.toMatchObject({ code: 'ACCOUNT_IN_USE' });
    await directory.setStatus(fence, { status: 'open', phone: '15551230001', device: '15551230001:4' });
    await all.create(other, session());
  });

  test('is not hindered by a note that a crash has left', async () => {
    await new AccountDevices(fixture.redis).note(device, shop);
    await (await imports()).create(other, session());
  });

  test('needs a worker that has published its key', async () => {
    const all = new SessionImports({ redis: fixture.redis, directory: directoryOf() });
    await expect(all.create(shop, session())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
