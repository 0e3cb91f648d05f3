import { waitFor } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { useRedis } from '../testing/redis-fixture.js';
import { ApiKeys } from './api-keys.js';
import { TenantDirectory } from './tenant-directory.js';

const fixture = useRedis();
const DAY_MS = 24 * 60 * 60 * 1000;

async function ttlOf(id: string) {
  const lookup = (await fixture.redis.get(keys.apiKeyId(id))) ?? '';
  return Promise.all([
    fixture.redis.pexpiretime(keys.apiKey(lookup)),
    fixture.redis.pexpiretime(keys.apiKeyId(id)),
    fixture.redis.zscore(keys.apiKeys('tnt_a'), id),
  ]);
}

test('a key gets another name and end, and everything that finds it lives as long', async () => {
  const apiKeys = new ApiKeys(fixture.redis);
  const { id, key } = await apiKeys.create('tnt_a', { name: 'till', sessions: ['a'] });
  expect(await ttlOf(id)).toEqual([-1, -1, 'inf']);

  const expiresAt = Date.now() + DAY_MS;
  const changed = await apiKeys.change(id, { expiresAt });
  expect(changed).toMatchObject({ id, name: 'till', sessions: ['a'], expiresAt });
  expect(await apiKeys.authenticate(key)).toMatchObject({ id, expiresAt });
  const forgottenAt = expiresAt + 7 * DAY_MS;
  expect(await ttlOf(id)).toEqual([forgottenAt, forgottenAt, String(forgottenAt)]);

  expect(await apiKeys.change(id, { name: null, expiresAt: null })).not.toHaveProperty('expiresAt');
  expect(await apiKeys.require(id)).not.toHaveProperty('name');
  expect(await ttlOf(id)).toEqual([-1, -1, 'inf']);
  expect(await apiKeys.ends([id, 'key_none'])).toEqual(new Map([[id, undefined]]));
});

test('a key that is revoked is not changed', async () => {
  const apiKeys = new ApiKeys(fixture.redis);
  const { id } = await apiKeys.create('tnt_a');
  await apiKeys.revoke(id);
  await expect(apiKeys.change(id, { name: 'x' })).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
  await expect(apiKeys.require(id)).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
  expect(await fixture.redis.dbsize()).toBe(0);
});

test('the use of a key is noted once in a minute, and leaves nothing of a key that is gone', async () => {
  const apiKeys = new ApiKeys(fixture.redis);
  const { id, key } = await apiKeys.create('tnt_a');
  expect(await apiKeys.require(id)).not.toHaveProperty('lastUsedAt');
  await apiKeys.authenticate(key);
  const used = await waitFor(async () => (await apiKeys.require(id)).lastUsedAt, {
    what: 'its use is noted',
  });
  expect(Math.abs(used - Date.now())).toBeLessThan(60_000);
  await apiKeys.authenticate(key);
  await apiKeys.authenticate(key);
  expect((await apiKeys.require(id)).lastUsedAt).toBe(used);
  const lookup = (await fixture.redis.get(keys.apiKeyId(id))) ?? '';
  await fixture.redis.hset(keys.apiKey(lookup), 'lastUsedAt', used - 60_000);
  await Promise.all([apiKeys.authenticate(key), apiKeys.revoke(id)]);
  // Commands of one connection are carried out in order: the note has been, if it was sent.
  await fixture.redis.ping();
  expect(await fixture.redis.dbsize()).toBe(0);
});

test('the keys of a tenant are listed page by page, each once, also while some are revoked', async () => {
  const apiKeys = new ApiKeys(fixture.redis);
  const made: string[] = [];
  for (const name of ['Shop 1', 'office', 'shop 2', 'x', 'SHOP 3']) {
    made.push((await apiKeys.create('tnt_a', { name })).id);
  }
  const sorted = (await apiKeys.list('tnt_a')).map(({ id }) => id);
  expect(new Set(sorted)).toEqual(new Set(made));
  const first = await apiKeys.page('tnt_a', { limit: 2 });
  expect(first.items.map(({ id }) => id)).toEqual(sorted.slice(0, 2));
  await apiKeys.revoke(sorted[0] ?? '');
  const rest = await apiKeys.page('tnt_a', { limit: 3, cursor: first.nextCursor });
  expect(rest.items.map(({ id }) => id)).toEqual(sorted.slice(2));
  expect(rest.nextCursor).toBeUndefined();
  const shops = await apiKeys.page('tnt_a', { limit: 9, matches: ({ name = '' }) => /shop/i.test(name) });
  expect(shops.items.every(({ name = '' }) => /shop/i.test(name))).toBe(true);
  for (const cursor of ['x', '', Buffer.from('1').toString('base64url')]) {
    await expect(apiKeys.page('tnt_a', { limit: 1, cursor })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  }
});

test('tenants are listed page by page and renamed, and one that cannot be read hides no other', async () => {
  const tenants = new TenantDirectory(fixture.redis);
  const made = await Promise.all(['Acme', 'Bolt', 'acme two', 'Cog'].map((name) => tenants.create(name)));
  await fixture.redis.sadd(keys.tenants, 'tnt_damaged', 'tnt_none');
  await fixture.redis.set(keys.tenant('tnt_damaged'), 'x');
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await tenants.page({ limit: 3, cursor });
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(seen).toEqual(made.map(({ id }) => id).sort());
  const acme = await tenants.page({ limit: 3, matches: ({ name }) => /acme/i.test(name) });
  expect(acme.items.map(({ name }) => name).sort()).toEqual(['Acme', 'acme two']);

  const [{ id } = { id: '' }] = made;
  await tenants.rename(id, 'Acme & sons');
  expect(await tenants.require(id)).toMatchObject({ name: 'Acme & sons' });
  await expect(tenants.rename('tnt_none', 'x')).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND' });
});
