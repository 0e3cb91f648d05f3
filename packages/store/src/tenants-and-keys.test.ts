import { createHash } from 'node:crypto';
import { keyIdSchema, tenantIdSchema } from '@wafleet/contract';
import { describe, expect, test } from 'vitest';
import { ApiKeys } from './api-keys.js';
import { keys } from './keyspace.js';
import { TenantDirectory } from './tenants.js';
import { everythingIn, useRedis } from './testing/redis-fixture.js';

const fixture = useRedis();

test('tenants are found by the id they were given', async () => {
  const tenants = new TenantDirectory(fixture.redis);
  const tenant = await tenants.create('Acme');
  expect(tenantIdSchema.parse(tenant.id)).toBe(tenant.id);
  expect(await tenants.require(tenant.id)).toEqual({ id: tenant.id, name: 'Acme' });
  expect(await tenants.get('tnt_none')).toBeUndefined();
  await expect(tenants.require('tnt_none')).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND' });
});

describe('an API key', () => {
  test('identifies its tenant until it is revoked', async () => {
    const apiKeys = new ApiKeys(fixture.redis);
    const a = await apiKeys.create('tnt_a', { name: 'ci' });
    const b = await apiKeys.create('tnt_b');
    expect(keyIdSchema.parse(a.id)).toBe(a.id);
    expect(await apiKeys.authenticate(a.key)).toEqual({ id: a.id, tenantId: 'tnt_a', name: 'ci' });
    expect(await apiKeys.authenticate(b.key)).toEqual({ id: b.id, tenantId: 'tnt_b' });

    await apiKeys.revoke(a.id);
    expect(await apiKeys.valid([a.id, b.id, 'key_none'])).toEqual(new Set([b.id]));
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
    expect(await apiKeys.authenticate('your-api-key')).toEqual({ id, tenantId: 'tnt_a', name: 'demo' });
    await expect(apiKeys.import('tnt_b', { key: 'your-api-key' })).rejects.toThrow('another tenant');
    expect(await apiKeys.authenticate('your-api-key')).toMatchObject({ tenantId: 'tnt_a' });
    await apiKeys.revoke(id);
    expect(await fixture.redis.dbsize()).toBe(0);
  });
});
