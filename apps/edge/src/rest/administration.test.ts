import { createdKeySchema, KEY_SCOPES, REST_CALLS, type RestCall, tenantSchema } from '@wafleet/contract';
import { describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { sendRequest } from '../testing/raw-request.js';
import { ADMIN_TOKEN } from '../testing/test-edge.js';

const fixture = useCluster();

const asAdmin = (request: string, body?: unknown) =>
  sendRequest(fixture.edge.url, request, { key: ADMIN_TOKEN, body });
const listKeys = async (tenantId: string) =>
  (await fixture.admin.call('list-keys', { params: { id: tenantId } })).items;

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

    expect(await sendRequest(fixture.edge.url, 'GET /api/sessions', { key })).toMatchObject({
      status: 200,
      body: { items: [] },
    });
    expect(
      await sendRequest(fixture.edge.url, 'GET /api/sessions', { headers: { 'x-api-key': key } }),
    ).toMatchObject({
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
    const { keyId, key } = await fixture.cluster.createTenant();
    expect(await sendRequest(fixture.edge.url, 'GET /api/sessions', { key })).toMatchObject({ status: 200 });

    expect(await asAdmin(`DELETE /api/keys/${keyId}`)).toMatchObject({ status: 204, body: undefined });
    expect(await sendRequest(fixture.edge.url, 'GET /api/sessions', { key })).toMatchObject({
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

describe('the limits of a key', () => {
  const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

  it('are returned when it is made and when it is listed, its secret only the first time', async () => {
    const { tenantId, keyId } = await fixture.cluster.createTenant();
    const limits = {
      scopes: ['events:read' as const],
      sessions: ['shop-1', 'not-yet'],
      expiresAt: inAnHour(),
    };
    const body = { tenantId, name: 'till', ...limits };
    const { key, ...shown } = await fixture.admin.call('create-key', { body });
    expect(shown).toMatchObject({ tenantId, name: 'till', ...limits });

    const listed = await asAdmin(`GET /api/tenants/${tenantId}/keys`);
    expect(listed.body).toEqual({
      items: [{ id: keyId, tenantId, scopes: [...KEY_SCOPES], createdAt: expect.any(String) }, shown],
    });
    expect(JSON.stringify(listed.body)).not.toContain(key);
    await fixture.admin.call('revoke-key', { params: { id: shown.id } });
    expect(await listKeys(tenantId)).toMatchObject([{ id: keyId }]);
  });

  it('are none when none are given', async () => {
    const { tenantId } = await fixture.cluster.createTenant();
    const made = await fixture.admin.call('create-key', { body: { tenantId } });
    expect(made.scopes).toEqual(KEY_SCOPES);
    expect(Object.keys(made).sort()).toEqual(['createdAt', 'id', 'key', 'scopes', 'tenantId']);
  });

  it('are listed of one tenant at a time, which must exist', async () => {
    const { keyId } = await fixture.cluster.createTenant();
    const { tenantId } = await fixture.cluster.createTenant();
    expect((await listKeys(tenantId)).map(({ id }) => id)).not.toContain(keyId);
    expect(await asAdmin('GET /api/tenants/tnt_none/keys')).toMatchObject({
      status: 404,
      body: { error: { code: 'TENANT_NOT_FOUND' } },
    });
  });

  it.each([
    [{ scopes: [] }, 'body.scopes'],
    [{ scopes: 'events:read' }, 'body.scopes'],
    [{ scopes: null }, 'body.scopes'],
    [{ scopes: ['*'] }, 'body.scopes.0'],
    [{ scopes: ['events:read', 'admin'] }, 'body.scopes.1'],
    [{ scopes: ['EVENTS:READ'] }, 'body.scopes.0'],
    [{ scopes: ['events:read '] }, 'body.scopes.0'],
    [{ scopes: ['еvents:read'] }, 'body.scopes.0'],
    [{ scopes: ['__proto__'] }, 'body.scopes.0'],
    [{ sessions: [] }, 'body.sessions'],
    [{ sessions: 'shop-1' }, 'body.sessions'],
    [{ sessions: null }, 'body.sessions'],
    [{ sessions: ['*'] }, 'body.sessions.0'],
    [{ sessions: ['shop-1', 'shop 2'] }, 'body.sessions.1'],
    [{ sessions: ['ｓhop-1'] }, 'body.sessions.0'],
    [{ sessions: Array.from({ length: 1_001 }, (_, index) => `s${index}`) }, 'body.sessions'],
    [{ expiresAt: '2020-01-01T00:00:00Z' }, 'body.expiresAt'],
    [{ expiresAt: 'tomorrow' }, 'body.expiresAt'],
    [{ expiresAt: '2999-01-01' }, 'body.expiresAt'],
    [{ expiresAt: 32_503_680_000_000 }, 'body.expiresAt'],
    [{ expires: '2999-01-01T00:00:00Z' }, 'body'],
  ])('are refused when they are not understood: %j', async (limits, path) => {
    const { tenantId } = await fixture.cluster.createTenant();
    expect(await asAdmin('POST /api/keys', { tenantId, ...limits })).toMatchObject({
      status: 400,
      body: { error: { code: 'VALIDATION_FAILED', details: { issues: [{ path }] } } },
    });
    expect(await listKeys(tenantId)).toHaveLength(1);
  });

  it('may name a thousand sessions, and one twice', async () => {
    const { tenantId } = await fixture.cluster.createTenant();
    const sessions = Array.from({ length: 1_000 }, (_, index) => `s${index}`);
    const many = await asAdmin('POST /api/keys', { tenantId, sessions, expiresAt: '2999-01-01T00:00:00Z' });
    expect(many).toMatchObject({ status: 201, body: { sessions, expiresAt: '2999-01-01T00:00:00.000Z' } });
    const twice = { scopes: ['events:read', 'events:read'], sessions: ['a', 'a'] };
    expect(await asAdmin('POST /api/keys', { tenantId, ...twice })).toMatchObject({
      body: { scopes: ['events:read'], sessions: ['a'] },
    });
  });
});

describe('who may call', () => {
  const calls = [
    ...Object.values<RestCall>(REST_CALLS).flatMap(({ route, access }) =>
      access === 'admin' ? [route.replace(':id', 'any_1')] : [],
    ),
  ];

  it.each(calls)('%s: refused without the admin token', async (request) => {
    expect(await sendRequest(fixture.edge.url, request)).toMatchObject({
      status: 401,
      body: { error: { code: 'UNAUTHORIZED' } },
    });
    expect(await sendRequest(fixture.edge.url, request, { key: `${ADMIN_TOKEN}x` })).toMatchObject({
      status: 401,
      body: { error: { code: 'UNAUTHORIZED', message: expect.stringContaining('not the admin token') } },
    });
    const { key } = await fixture.cluster.createTenant();
    expect(await sendRequest(fixture.edge.url, request, { key })).toMatchObject({
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
    const answer = await sendRequest(fixture.edge.url, 'GET /api/sessions', { headers });
    expect(answer).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHORIZED' } } });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('says to a client without a key how to give one', async () => {
    expect(await sendRequest(fixture.edge.url, 'GET /api/sessions')).toMatchObject({
      body: { error: { message: expect.stringContaining('X-Api-Key') } },
    });
  });

  it('lets X-Api-Key win over Authorization', async () => {
    const { key } = await fixture.cluster.createTenant();
    const both = (apiKey: string, bearer: string) => ({
      headers: { 'x-api-key': apiKey, authorization: `Bearer ${bearer}` },
    });
    expect(await sendRequest(fixture.edge.url, 'GET /api/sessions', both(key, 'unknown'))).toMatchObject({
      status: 200,
    });
    expect(await sendRequest(fixture.edge.url, 'GET /api/sessions', both('unknown', key))).toMatchObject({
      status: 401,
    });
  });
});
