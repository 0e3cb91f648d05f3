import { initAuthCreds } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { AccountDevices } from '../accounts/account-devices.js';
import { linkedDevice } from '../accounts/linked-device.js';
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

/** Credentials that claim to be of the device. Each call makes other keys. */
function newCreds() {
  return { ...initAuthCreds(), me: { id: `${device}@s.whatsapp.net` }, account: {} };
}

const linked = newCreds();
const deviceName = linkedDevice(device, linked);

function session(creds = linked): ImportedSession {
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
    const creds = linked;
    await (await imports()).create(shop, session(), { name: 'Shop' });
    expect(await directoryOf().get(shop)).toMatchObject({
      ...{ status: 'queued', desired: 'open', phone: '15551230001', device: deviceName, name: 'Shop' },
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
    expect(await directoryOf().get(shop)).toMatchObject({ name: 'Shop', phone: '15551230001' });
    expect(await directoryOf().get(shop)).not.toHaveProperty('link');
    await directoryOf().purge(shop);
    expect(await redis.exists(keys.auth(shop), keys.settings(shop))).toBe(0);
  });

  test('is one as long as the session has what was imported', async () => {
    await (await imports()).create(shop, session());
    const fence = await claimed(fixture.redis, shop, 'wrk_a');
    await directoryOf().setStatus(fence, { status: 'open', phone: '15551230001', device: deviceName });
    expect(await directoryOf().get(shop)).toHaveProperty('importedAt');
    await directoryOf().setStatus(fence, { status: 'logged_out', phone: null });
    // A phone that links it now is the only one with its keys.
    expect(await directoryOf().get(shop)).not.toHaveProperty('importedAt');
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

  test('that is repeated under its id leaves the device with the session, and only as long as it exists', async () => {
    const all = await imports();
    await all.create(shop, session());
    await expect(all.create(shop, session())).rejects.toMatchObject({ code: 'SESSION_EXISTS' });
    await expect(all.create(other, session())).rejects.toMatchObject({ code: 'ACCOUNT_IN_USE' });
    await directoryOf().purge(shop);
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
    await directory.setStatus(fence, { status: 'open', phone: '15551230001', device: deviceName });
    await expect(all.create(other, session())).rejects.toMatchObject({ code: 'ACCOUNT_IN_USE' });
    await directory.setStatus(fence, { status: 'open', phone: '15551230001', device: '15551230001:4' });
    await all.create(other, session());
  });

  test('is not hindered by a note that a crash has left', async () => {
    await new AccountDevices(fixture.redis).note(deviceName, { ...shop, madeBy: 'a' });
    await (await imports()).create(other, session());
  });

  test('with the number of another device and keys of its own learns nothing of it, and does not block it', async () => {
    const all = await imports();
    await all.create(shop, session());
    await all.create(other, session(newCreds()));
    await directoryOf().purge(shop);
    await all.create(shop, session());
    await expect(all.create({ ...other, sessionId: 'third' }, session())).rejects.toMatchObject({
      code: 'ACCOUNT_IN_USE',
    });
  });

  test('keeps its device when the removal of an earlier session with its id ends late', async () => {
    const all = await imports();
    const devices = new AccountDevices(fixture.redis);
    await all.create(shop, session());
    const madeBy = (await fixture.redis.hget(keys.session(shop), 'madeBy')) ?? '';
    await directoryOf().purge(shop);
    await all.create(shop, session());
    await devices.release(deviceName, { ...shop, madeBy });
    await expect(all.create(other, session())).rejects.toMatchObject({ code: 'ACCOUNT_IN_USE' });
    const now = (await fixture.redis.hget(keys.session(shop), 'madeBy')) ?? '';
    await devices.note(deviceName, { ...shop, madeBy });
    expect(await fixture.redis.hget(keys.account(deviceName), 'madeBy')).toBe(now);
  });

  test('keeps a reservation of an earlier release, which does not say for which session it is', async () => {
    const devices = new AccountDevices(fixture.redis);
    const note = { session: 'tnt_a/shop', until: String(Date.now() + 60_000) };
    await fixture.redis.hset(keys.account(deviceName), note);
    await devices.release(deviceName, { ...shop, madeBy: 'a' });
    expect(await devices.reserve(deviceName, { ...other, madeBy: 'b' })).toBe(false);
    await fixture.redis.hset(keys.account(deviceName), { ...note, until: '0' });
    await devices.release(deviceName, { ...shop, madeBy: 'a' });
    expect(await fixture.redis.exists(keys.account(deviceName))).toBe(0);
  });

  test('of many records is stored in several writes, and begins again after a worker that ended amid', async () => {
    const ids = Array.from({ length: 1_700 }, (_, index) => [String(index), String(index)] as const);
    const many = { ...session(), keys: new Map([['lid-mapping', new Map<string, unknown>(ids)]]) };
    await (await imports()).create(shop, many);
    const { redis } = fixture;
    const first = await claimed(redis, shop, 'wrk_a');
    const writes = fixture.connect('command');
    const send = writes.sendCommand.bind(writes);
    let sent = 0;
    // The worker ends after its second write: a Redis that is gone looks the same.
    writes.sendCommand = (...args) => {
      sent += args[0].name.startsWith('eval') ? 1 : 0;
      if (sent > 3) writes.disconnect();
      return send(...args);
    };
    await expect(
      new AuthStateStore({ redis: writes, cipher, fence: first }).load(initAuthCreds),
    ).rejects.toThrow();
    expect(await redis.hexists(keys.auth(shop), 'import')).toBe(1);
    expect(await redis.hexists(keys.auth(shop), 'creds')).toBe(0);
    const fence = await claimed(redis, shop, 'wrk_b', 'wrk_a');
    const { creds, keys: stored } = await new AuthStateStore({ redis, cipher, fence }).readAll();
    expect(creds.noiseKey).toEqual(linked.noiseKey);
    expect(stored.get('lid-mapping')?.size).toBe(1_700);
    expect(await redis.hexists(keys.auth(shop), 'import')).toBe(0);
  });

  test('needs a worker that has published its key', async () => {
    const all = new SessionImports({ redis: fixture.redis, directory: directoryOf() });
    await expect(all.create(shop, session())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
