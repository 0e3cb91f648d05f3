import { createHash } from 'node:crypto';
import { KEY_SCOPES, keyIdSchema, tenantIdSchema } from '@wafleet/contract';
import { describe, expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { everythingIn, useRedis } from '../testing/redis-fixture.js';
import { ApiKeys } from './api-keys.js';
import { TenantDirectory } from './tenant-directory.js';

const fixture = useRedis();

test('tenants are found by the id they were given', async () => {
  const tenants = new TenantDirectory(fixture.redis);
  const tenant = await tenants.create('Acme');
  expect(tenantIdSchema.parse(tenant.id)).toBe(tenant.id);
  expect(await tenants.require(tenant.id)).toEqual({
    id: tenant.id,
    name: 'Acme',
    createdAt: expect.any(Number),
  });
  expect(await tenants.get('tnt_none')).toBeUndefined();
  await expect(tenants.require('tnt_none')).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND' });
});

describe('an API key', () => {
  test('identifies its tenant until it is revoked', async () => {
    const apiKeys = new ApiKeys(fixture.redis);
    const a = await apiKeys.create('tnt_a', { name: 'ci' });
    const b = await apiKeys.create('tnt_b');
    expect(keyIdSchema.parse(a.id)).toBe(a.id);
    expect(await apiKeys.authenticate(a.key)).toMatchObject({ id: a.id, tenantId: 'tnt_a', name: 'ci' });
    expect(await apiKeys.authenticate(b.key)).toMatchObject({ id: b.id, tenantId: 'tnt_b' });

    await apiKeys.revoke(a.id);
    expect(await apiKeys.ends([a.id, b.id, 'key_none'])).toEqual(new Map([[b.id, undefined]]));
    expect(await apiKeys.authenticate(a.key)).toBeUndefined();
    expect(await apiKeys.authenticate(b.key)).toBeDefined();
    await expect(apiKeys.revoke(a.id)).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
    await apiKeys.revoke(b.id);
    expect(await fixture.redis.dbsize()).toBe(0);
  });

  test('is nowhere in Redis, neither whole nor in part', async () => {
    const { key } = await new ApiKeys(fixture.redis).create('tnt_a', { name: 'ci' });
    const dump = await everythingIn(fixture.redis);
    expect(dump.includes('tnt_a')).toBe(true);
    expect(dump.includes(key.slice(3, 15))).toBe(false);
    expect(dump.includes(Buffer.from(key).toString('base64').slice(0, 12))).toBe(false);
  });

  test('is unknown when it is empty, another text or a prefix', async () => {
    const apiKeys = new ApiKeys(fixture.redis);
    const { key } = await apiKeys.create('tnt_a');
    for (const wrong of ['', '*', key.slice(0, -1), `${key} `, key.toUpperCase(), 'x'.repeat(100_000)]) {
      expect(await apiKeys.authenticate(wrong)).toBeUndefined();
    }
  });

  test('is compared whole: half of the hash is not enough', async () => {
    const apiKeys = new ApiKeys(fixture.redis);
    const { key } = await apiKeys.create('tnt_a');
    const hash = createHash('sha256').update(key).digest('hex');
    for (const stored of [hash.slice(0, 32) + '0'.repeat(32), hash.slice(0, 32), '']) {
      await fixture.redis.hset(keys.apiKey(hash.slice(0, 32)), 'hash', stored);
      expect(await apiKeys.authenticate(key)).toBeUndefined();
    }
  });

  test('of the caller’s choosing keeps its id when it is imported again', async () => {
    const apiKeys = new ApiKeys(fixture.redis);
    const { id } = await apiKeys.import('tnt_a', { key: 'your-api-key', name: 'demo' });
    expect(await apiKeys.import('tnt_a', { key: 'your-api-key' })).toEqual({ id });
    expect(await apiKeys.authenticate('your-api-key')).toMatchObject({ id, tenantId: 'tnt_a', name: 'demo' });
    await expect(apiKeys.import('tnt_b', { key: 'your-api-key' })).rejects.toThrow('another tenant');
    expect(await apiKeys.authenticate('your-api-key')).toMatchObject({ tenantId: 'tnt_a' });
    await apiKeys.revoke(id);
    expect(await fixture.redis.dbsize()).toBe(0);
  });

  test('of the caller’s choosing stays as it was made when it is imported again', async () => {
    const apiKeys = new ApiKeys(fixture.redis);
    const key = 'your-api-key';
    await apiKeys.import('tnt_a', { key, scopes: ['events:read'], sessions: ['shop-1'] });
    await apiKeys.import('tnt_a', { key, expiresAt: Date.now() + 60_000 });
    expect(await apiKeys.authenticate(key)).toMatchObject({ scopes: ['events:read'], sessions: ['shop-1'] });
    expect(await apiKeys.list('tnt_a')).toHaveLength(1);
  });
});

describe('the limits of an API key', () => {
  const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

  test('are none by default', async () => {
    const apiKeys = new ApiKeys(fixture.redis);
    const { key, ...made } = await apiKeys.create('tnt_a');
    expect(made).toMatchObject({ scopes: KEY_SCOPES, sessions: undefined, expiresAt: undefined });
    expect(await apiKeys.authenticate(key)).toEqual({
      id: made.id,
      tenantId: 'tnt_a',
      scopes: [...KEY_SCOPES],
      createdAt: made.createdAt,
    });
  });

  test('are those that it was made with', async () => {
    const apiKeys = new ApiKeys(fixture.redis);
    const limits = {
      scopes: ['events:read', 'messages:write'] as const,
      sessions: Array.from({ length: 1_000 }, (_, index) => `session-${index}`),
      expiresAt: Date.now() + 60_000,
    };
    const { key, ...made } = await apiKeys.create('tnt_a', { name: 'till', ...limits });
    expect(made).toMatchObject({ name: 'till', ...limits });
    expect(await apiKeys.list('tnt_a')).toEqual([made]);
    expect(await apiKeys.authenticate(key)).toEqual(made);
  });

  test('are none for a key of a release without limits, which is listed once it is used', async () => {
    const apiKeys = new ApiKeys(fixture.redis);
    const { id: tenantId } = await new TenantDirectory(fixture.redis).create('Acme');
    const { id, key } = await apiKeys.create(tenantId);
    await fixture.redis.hdel(storedAt(key), 'scopes');
    await fixture.redis.del(keys.apiKeys(tenantId));
    expect(await apiKeys.authenticate(key)).toMatchObject({ id, scopes: KEY_SCOPES });
    expect(await apiKeys.list(tenantId)).toMatchObject([{ id, scopes: KEY_SCOPES }]);
    // A tenant that was removed before did not list the key.
    await fixture.redis.del(keys.tenant(tenantId), keys.apiKeys(tenantId));
    expect(await apiKeys.authenticate(key)).toBeUndefined();
    await apiKeys.revoke(id);
    await fixture.redis.del(keys.tenants);
    expect(await fixture.redis.dbsize()).toBe(0);
  });

  test('never become wider because a record cannot be read', async () => {
    const apiKeys = new ApiKeys(fixture.redis);
    const { key } = await apiKeys.create('tnt_a', { scopes: ['events:read'], sessions: ['shop-1'] });
    await fixture.redis.hset(storedAt(key), { scopes: 'events:read EVENTS:READ *  __proto__', sessions: '' });
    expect(await apiKeys.authenticate(key)).toMatchObject({ scopes: ['events:read'], sessions: [] });
    await fixture.redis.hset(storedAt(key), 'scopes', '');
    expect(await apiKeys.authenticate(key)).toMatchObject({ scopes: [] });
  });

  test('keep an expired key for a week', async () => {
    const apiKeys = new ApiKeys(fixture.redis);
    const expiresAt = Date.now() - 1_000;
    const { id, key } = await apiKeys.create('tnt_a', { expiresAt });
    expect(await apiKeys.authenticate(key)).toMatchObject({ id, expiresAt });
    expect(await apiKeys.list('tnt_a')).toMatchObject([{ id, expiresAt }]);
    for (const stored of [storedAt(key), keys.apiKeyId(id)]) {
      expect(await fixture.redis.pexpiretime(stored)).toBe(expiresAt + WEEK_MS);
    }
  });

  test('leave nothing of an expired key after that week', async () => {
    const apiKeys = new ApiKeys(fixture.redis);
    const { key } = await apiKeys.create('tnt_a', { expiresAt: Date.now() - 2 * WEEK_MS });
    expect(await apiKeys.authenticate(key)).toBeUndefined();
    expect(await apiKeys.list('tnt_a')).toEqual([]);
    const later = await apiKeys.create('tnt_a');
    expect(await fixture.redis.zcard(keys.apiKeys('tnt_a'))).toBe(1);
    await apiKeys.revoke(later.id);
    expect(await fixture.redis.dbsize()).toBe(0);
  });
});

describe('the list of a tenant’s API keys', () => {
  test('has its own only, oldest first, without what proves or finds them', async () => {
    const apiKeys = new ApiKeys(fixture.redis);
    const made = [];
    for (const name of ['one', 'two', 'three']) made.push(await apiKeys.create('tnt_a', { name }));
    const other = await apiKeys.create('tnt_b');
    for (const [index, { key }] of made.entries()) {
      await fixture.redis.hset(storedAt(key), 'createdAt', 1_000 - index);
    }
    const listed = await apiKeys.list('tnt_a');
    expect(listed.map(({ name }) => name)).toEqual(['three', 'two', 'one']);
    for (const { key } of [...made, other]) {
      const text = JSON.stringify(listed);
      expect(text).not.toContain(key);
      expect(text).not.toContain(storedAt(key).replace('wf:key:', ''));
    }
    await apiKeys.revoke(made[1]?.id ?? '');
    expect((await apiKeys.list('tnt_a')).map(({ name }) => name)).toEqual(['three', 'one']);
    expect(await apiKeys.list('tnt_none')).toEqual([]);
  });
});

/** Where the key is stored. */
function storedAt(key: string): string {
  return keys.apiKey(createHash('sha256').update(key).digest('hex').slice(0, 32));
}
