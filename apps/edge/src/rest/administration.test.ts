import { createdKeySchema, tenantSchema } from '@wafleet/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../testing/rest-client.js';
import { TestCluster } from '../testing/test-cluster.js';
import { ADMIN_TOKEN, type TestEdge } from '../testing/test-edge.js';

let cluster: TestCluster;
let edge: TestEdge;

beforeAll(async () => {
  cluster = await TestCluster.start();
  edge = await cluster.startEdge();
});
afterAll(() => cluster.stop());

const asAdmin = (request: string, body?: unknown) => call(edge.url, request, { key: ADMIN_TOKEN, body });

describe('tenants and keys', () => {
  it('makes a tenant and a key that works', async () => {
    const madeTenant = await asAdmin('POST /api/tenants', { name: ' Shop ' });
    expect(madeTenant.status).toBe(201);
    const tenant = tenantSchema.parse(madeTenant.body);
    expect(tenant.name).toBe('Shop');

    const madeKey = await asAdmin('POST /api/keys', { tenantId: tenant.id, name: 'till' });
    expect(madeKey.status).toBe(201);
    expect(madeKey.headers.get('cache-control')).toBe('no-store');
    const { key } = createdKeySchema.parse(madeKey.body);

    expect(await call(edge.url, 'GET /api/sessions', { key })).toMatchObject({ status: 200, body: [] });
    expect(await call(edge.url, 'GET /api/sessions', { headers: { 'x-api-key': key } })).toMatchObject({
      status: 200,
    });
  });

  it('makes no key for a tenant that does not exist', async () => {
    expect(await asAdmin('POST /api/keys', { tenantId: 'tnt_none' })).toMatchObject({
      status: 404,
      body: { error: { code: 'TENANT_NOT_FOUND' } },
    });
  });

  it('revokes a key at once, though its last check is still remembered', async () => {
    const { keyId, key } = await cluster.createTenant();
    expect(await call(edge.url, 'GET /api/sessions', { key })).toMatchObject({ status: 200 });

    expect(await asAdmin(`DELETE /api/keys/${keyId}`)).toMatchObject({ status: 204, body: undefined });
    expect(await call(edge.url, 'GET /api/sessions', { key })).toMatchObject({
      status: 401,
      body: { error: { code: 'UNAUTHORIZED' } },
    });
    expect(await asAdmin(`DELETE /api/keys/${keyId}`)).toMatchObject({
      status: 404,
      body: { error: { code: 'KEY_NOT_FOUND' } },
    });
  });

  it.each([
    [{}, 'body.name'],
    [{ name: '' }, 'body.name'],
    [{ name: 7 }, 'body.name'],
    [{ name: 'x'.repeat(101) }, 'body.name'],
    [[], 'body'],
    [null, 'body'],
  ])('names the field that is wrong in %j', async (body, path) => {
    const answer = await asAdmin('POST /api/tenants', body);
    expect(answer).toMatchObject({
      status: 400,
      body: { error: { code: 'VALIDATION_FAILED', details: { issues: [{ path }] } } },
    });
  });
});

describe('who may call', () => {
  const calls = ['POST /api/tenants', 'POST /api/keys', 'DELETE /api/keys/key_1'];

  it.each(calls)('%s: nobody without the admin token', async (request) => {
    expect(await call(edge.url, request)).toMatchObject({
      status: 401,
      body: { error: { code: 'UNAUTHORIZED' } },
    });
    expect(await call(edge.url, request, { key: `${ADMIN_TOKEN}x` })).toMatchObject({ status: 401 });
    const { key } = await cluster.createTenant();
    expect(await call(edge.url, request, { key })).toMatchObject({
      status: 403,
      body: { error: { code: 'FORBIDDEN' } },
    });
  });

  it('takes no session calls from the administrator', async () => {
    expect(await asAdmin('GET /api/sessions')).toMatchObject({
      status: 403,
      body: { error: { code: 'FORBIDDEN' } },
    });
  });

  it.each([
    {},
    { authorization: 'Basic dXNlcjpwYXNz' },
    { authorization: 'Bearer' },
    { authorization: 'Bearer unknown' },
    { 'x-api-key': 'unknown' },
    { 'x-api-key': 'x'.repeat(5_000) },
  ])('takes no session calls with the headers %j', async (headers) => {
    const answer = await call(edge.url, 'GET /api/sessions', { headers });
    expect(answer).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHORIZED' } } });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('lets X-Api-Key win over Authorization', async () => {
    const { key } = await cluster.createTenant();
    const both = (apiKey: string, bearer: string) => ({
      headers: { 'x-api-key': apiKey, authorization: `Bearer ${bearer}` },
    });
    expect(await call(edge.url, 'GET /api/sessions', both(key, 'unknown'))).toMatchObject({ status: 200 });
    expect(await call(edge.url, 'GET /api/sessions', both('unknown', key))).toMatchObject({ status: 401 });
  });
});
