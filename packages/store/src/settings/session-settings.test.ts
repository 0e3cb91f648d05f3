import { randomBytes } from 'node:crypto';
import { DEFAULT_SETTINGS } from '@wafleet/contract';
import { beforeEach, describe, expect, test } from 'vitest';
import { Cipher } from '../auth/cipher.js';
import { verifyEncryptionKey } from '../auth/encryption-check.js';
import { keys } from '../redis/keyspace.js';
import { SessionDirectory } from '../sessions/session-directory.js';
import { useRedis } from '../testing/redis-fixture.js';
import { SessionSettingsRecords } from './session-settings-records.js';
import { ProxyUnreadableError, SessionSettingsStore } from './session-settings-store.js';

const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const other = { tenantId: 'tnt_a', sessionId: 'other' };
const URL_OF_PROXY = 'http://ann:top-secret@proxy.example:3128';
const SHOWN = { kind: 'http', host: 'proxy.example', port: 3128, hasCredentials: true };
const cipher = Cipher.fromHexKeys(randomBytes(32).toString('hex'));

const directory = () => new SessionDirectory(fixture.redis);
const records = () => new SessionSettingsRecords(fixture.redis);
const store = (with_ = cipher) => new SessionSettingsStore({ redis: fixture.redis, cipher: with_ });

async function setProxy(ref = shop): Promise<void> {
  const { version } = await records().read(ref);
  await records().replace(ref, version, { plain: { proxy: SHOWN }, proxy: URL_OF_PROXY });
}

beforeEach(async () => {
  await verifyEncryptionKey(fixture.redis, cipher);
  await directory().create(shop);
});

describe('settings', () => {
  test('have their defaults, and no record, until something is set', async () => {
    expect(await store().read(shop)).toEqual({ settings: DEFAULT_SETTINGS, version: 0 });
    expect(await records().read(shop)).toMatchObject({
      version: 0,
      metadata: {},
      stored: {},
      unreadable: [],
    });
    expect(await fixture.redis.exists(keys.settings(shop))).toBe(0);
  });

  test('are what was set, for the edge and for the worker', async () => {
    const plain = { settings: { online: true }, metadata: { shop: '17' } };
    expect(await records().replace(shop, 0, { plain })).toBe(true);
    expect(await store().read(shop)).toEqual({ settings: { ...DEFAULT_SETTINGS, online: true }, version: 1 });
    expect(await records().read(shop)).toMatchObject({ version: 1, metadata: { shop: '17' }, stored: plain });
  });

  test('are not replaced by what began with an earlier state', async () => {
    expect(await records().replace(shop, 0, { plain: { settings: { online: true } } })).toBe(true);
    expect(await records().replace(shop, 0, { plain: {}, name: 'late' })).toBe(false);
    expect((await records().read(shop)).settings.online).toBe(true);
    expect(await directory().require(shop)).not.toHaveProperty('name');
    expect(await records().replace(shop, 1, { plain: {} })).toBe(true);
    expect((await store().read(shop)).version).toBe(2);
  });

  test('change together with the name', async () => {
    await records().replace(shop, 0, { plain: {}, name: 'Till' });
    expect(await directory().require(shop)).toMatchObject({ name: 'Till' });
    await records().replace(shop, 1, { plain: {} });
    expect(await directory().require(shop)).toMatchObject({ name: 'Till' });
    await records().replace(shop, 2, { plain: {}, name: null });
    expect(await directory().require(shop)).not.toHaveProperty('name');
  });

  test('of a session that does not exist are not written', async () => {
    await expect(records().replace(other, 0, { plain: {} })).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
    expect(await fixture.redis.exists(keys.settings(other))).toBe(0);
  });

  test('are made and purged with their session', async () => {
    const proxy = await records().sealProxy(other, URL_OF_PROXY);
    const plain = { settings: { online: true }, proxy: SHOWN };
    await directory().create(other, { settings: { plain, proxy } });
    expect(await store().read(other)).toMatchObject({
      proxy: URL_OF_PROXY,
      version: 1,
      settings: { online: true },
    });
    await directory().purge(other);
    expect(await fixture.redis.exists(keys.settings(other))).toBe(0);
    // As a release without settings leaves them.
    await fixture.redis.hset(keys.settings(other), 'plain', '{"settings":{"online":true}}', 'version', 7);
    await directory().create(other);
    expect(await store().read(other)).toEqual({ settings: DEFAULT_SETTINGS, version: 0 });
  });

  test.each(['nonsense', '[]', '7', '{"settings":7,"metadata":[],"proxy":"x"}'])(
    'that cannot be read, as in %s, have their defaults and can be replaced',
    async (text) => {
      await fixture.redis.hset(keys.settings(shop), 'plain', text, 'version', 'x');
      expect(await store().read(shop)).toEqual({ settings: DEFAULT_SETTINGS, version: 0 });
      expect(await records().read(shop)).toMatchObject({
        version: 0,
        settings: DEFAULT_SETTINGS,
        metadata: {},
      });
      expect(await records().replace(shop, 0, { plain: { settings: { online: true } } })).toBe(true);
      const { settings, version } = await store().read(shop);
      expect(settings.online).toBe(true);
      expect(version).toBeGreaterThan(1e12);
    },
  );
});

describe('a proxy', () => {
  test('is sealed, and opens for workers alone', async () => {
    await setProxy();
    expect((await store().read(shop)).proxy).toBe(URL_OF_PROXY);
    const stored = await fixture.redis.hgetallBuffer(keys.settings(shop));
    expect(Buffer.concat(Object.values(stored)).includes('top-secret')).toBe(false);
    expect((await records().read(shop)).proxy).toEqual(SHOWN);
  });

  test('stays with a change of something else, and goes when it is removed', async () => {
    await setProxy();
    await records().replace(shop, 1, { plain: { proxy: SHOWN, settings: { online: true } } });
    expect(await store().read(shop)).toMatchObject({ proxy: URL_OF_PROXY, settings: { online: true } });
    await records().replace(shop, 2, { plain: {}, proxy: null });
    expect(await store().read(shop)).not.toHaveProperty('proxy');
  });

  test('does not open at another session', async () => {
    await directory().create(other);
    await setProxy();
    await fixture.redis.copy(keys.settings(shop), keys.settings(other));
    await expect(store().read(other)).rejects.toThrow(ProxyUnreadableError);
  });

  test('that cannot be read is an error, never no proxy', async () => {
    await setProxy();
    const strange = Cipher.fromHexKeys(randomBytes(32).toString('hex'));
    await expect(store(strange).read(shop)).rejects.toThrow(ProxyUnreadableError);
    await fixture.redis.hset(keys.settings(shop), 'proxy', 'damaged');
    await expect(store().read(shop)).rejects.toThrow(ProxyUnreadableError);
    await fixture.redis.hdel(keys.settings(shop), 'proxy');
    await expect(store().read(shop)).rejects.toThrow(ProxyUnreadableError);
    await fixture.redis.set(keys.settings(shop), 'of another type');
    await expect(store().read(shop)).rejects.toThrow(ProxyUnreadableError);
    expect(await records().read(shop)).toMatchObject({ version: 0, stored: {} });
    await setProxy();
    expect(await store().read(shop)).toMatchObject({ proxy: URL_OF_PROXY });
  });

  test('cannot be set before a worker has published its key', async () => {
    await fixture.redis.del(keys.workerBoxKey);
    await expect(setProxy()).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(await store().read(shop)).not.toHaveProperty('proxy');
  });

  test('is sealed again with the current key when it is read', async () => {
    const [old, current] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
    await fixture.redis.flushall();
    await verifyEncryptionKey(fixture.redis, Cipher.fromHexKeys(old));
    await directory().create(shop);
    await setProxy();
    expect(await store(Cipher.fromHexKeys(`${current},${old}`)).read(shop)).toMatchObject({
      proxy: URL_OF_PROXY,
    });
    expect(await store(Cipher.fromHexKeys(current)).read(shop)).toMatchObject({
      proxy: URL_OF_PROXY,
      version: 1,
    });
  });
});
