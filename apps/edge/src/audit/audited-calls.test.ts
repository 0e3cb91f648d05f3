import { REST_CALLS, type RestCall } from '@wafleet/contract';
import { describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { errorAnswer, sendRequest } from '../testing/raw-request.js';
import { ADMIN_TOKEN } from '../testing/test-edge.js';

const fixture = useCluster();

const asAdmin = (request: string, body?: unknown, headers: Record<string, string> = {}) =>
  sendRequest(fixture.edge.url, request, { key: ADMIN_TOKEN, body, headers });

describe('the audit log', () => {
  it('has each act of the administrator, with who, what, when, from where and its outcome', async () => {
    const call = fixture.admin.call.bind(fixture.admin);
    const { id: tenantId } = await call('create-tenant', { body: { name: 'Acme' } });
    const tenant = { params: { id: tenantId } };
    await call('change-tenant', { ...tenant, body: { name: 'Bolt' } });
    await call('change-tenant-limits', { ...tenant, body: { sessions: 7 } });
    const made = await call('create-key', { body: { tenantId, name: 'till', scopes: ['events:read'] } });
    const key = { params: { id: made.id } };
    await call('change-key', { ...key, body: { name: 'office' } });
    const rotated = await call('rotate-key', { ...key, body: { overlapSeconds: 60 } });
    await call('revoke-key', key);
    await call('remove-tenant', tenant);

    const { items } = await call('list-audit', { query: { tenantId } });
    const acts = items.toReversed();
    expect(acts.map(({ action, target, input }) => [action, target, input])).toEqual([
      ['create-tenant', tenantId, { name: 'Acme' }],
      ['change-tenant', tenantId, { name: 'Bolt' }],
      ['change-tenant-limits', tenantId, { sessions: 7 }],
      ['create-key', made.id, { tenantId, name: 'till', scopes: ['events:read'] }],
      ['change-key', made.id, { name: 'office' }],
      ['rotate-key', made.id, { overlapSeconds: 60 }],
      ['revoke-key', made.id, undefined],
      ['remove-tenant', tenantId, undefined],
    ]);
    for (const act of acts) {
      expect(act).toMatchObject({ actor: 'admin', tenantId, outcome: 'done', address: '127.0.0.1' });
    }
    const text = JSON.stringify(await fixture.cluster.connection.xrange('wf:audit', '-', '+'));
    for (const secret of [made.key, rotated.key, ADMIN_TOKEN]) expect(text).not.toContain(secret);
  });

  it('has what the API keys of a tenant remove and hand out, apart from that of the administrator', async () => {
    const { tenantId, keyId } = fixture.tenant;
    await fixture.client.call('create-session', { body: { id: 'shop-1' } });
    const passphrase = 'correct horse battery staple';
    const params = { id: 'shop-1' };
    await fixture.client.call('export-session', { params, body: { passphrase } }).catch(() => {});
    await fixture.client.call('remove-session', { params, query: { force: 'true' } });
    const { items } = await fixture.admin.call('list-tenant-audit', { params: { id: tenantId } });
    expect(items).toMatchObject([
      { action: 'remove-session', outcome: 'done' },
      { action: 'export-session', outcome: 'refused', error: 'NOT_LINKED' },
    ]);
    for (const act of items) {
      expect(act).toMatchObject({ actor: keyId, tenantId, target: 'shop-1', requestId: expect.any(String) });
      expect(act).not.toHaveProperty('input');
    }
    const ofAdmin = await fixture.admin.call('list-audit', { query: { tenantId } });
    expect(ofAdmin.items).toEqual([]);
    const query = { action: 'remove-session', actor: keyId, target: 'shop-1' };
    const filtered = await fixture.admin.call('list-tenant-audit', { params: { id: tenantId }, query });
    expect(filtered.items).toHaveLength(1);
  });

  it.each(['since', 'until'])('is empty or whole for a `%s` of long ago or far ahead', async (name) => {
    for (const time of ['0001-01-01T00:00:00Z', '1969-12-31T23:59:59.999Z', '9999-12-31T23:59:59Z']) {
      expect(await asAdmin(`GET /api/audit?${name}=${time}`)).toMatchObject({ status: 200 });
    }
  });

  it.each(['0 0', '00 000'])('has nothing before its beginning (%s)', async (place) => {
    const cursor = Buffer.from(place).toString('base64url');
    expect(await asAdmin(`GET /api/audit?cursor=${cursor}`)).toMatchObject({
      status: 200,
      body: { items: [] },
    });
  });

  it('has what was refused, and the id that the client gave the request', async () => {
    const request = 'POST /api/keys';
    const headers = { 'request-id': 'from-a-client' };
    const body = { tenantId: 'tnt_none' };
    expect(await asAdmin(request, body, headers)).toMatchObject(errorAnswer(404, 'TENANT_NOT_FOUND'));
    const { items } = await fixture.admin.call('list-audit', { query: { tenantId: 'tnt_none' } });
    expect(items).toMatchObject([
      { action: 'create-key', outcome: 'refused', error: 'TENANT_NOT_FOUND', requestId: 'from-a-client' },
    ]);
  });

  it('has an act once, though it is repeated with an Idempotency-Key', async () => {
    const name = 'once';
    const headers = { 'idempotency-key': 'a-key' };
    const first = await asAdmin('POST /api/tenants', { name }, headers);
    expect(await asAdmin('POST /api/tenants', { name }, headers)).toMatchObject({
      status: 201,
      body: first.body,
    });
    const { items } = await fixture.admin.call('list-audit', { query: { action: 'create-tenant' } });
    expect(items.filter(({ input }) => input?.name === name)).toHaveLength(1);
  });

  it('holds whatever a name is, as one entry', async () => {
    const name = 'a\nb\r\n{"actor":"key_1","action":"nothing"}\u2028\0';
    const { id } = await fixture.admin.call('create-tenant', { body: { name } });
    const { items } = await fixture.admin.call('list-audit', { query: { target: id } });
    expect(items).toMatchObject([{ actor: 'admin', action: 'create-tenant', input: { name } }]);
  });

  it('leaves an input out that is too large, and keeps the entry', async () => {
    const { tenantId } = fixture.tenant;
    const sessions = Array.from({ length: 1_000 }, (_, index) => `session-${index}`);
    await fixture.admin.call('create-key', { body: { tenantId, sessions } });
    const { items } = await fixture.admin.call('list-audit', { query: { tenantId } });
    expect(items).toMatchObject([{ action: 'create-key', outcome: 'done' }]);
    expect(items[0]).not.toHaveProperty('input');
  });

  it('has every call of the administrator that changes something', () => {
    const changes = Object.values<RestCall>(REST_CALLS).filter(
      ({ access, route }) => access === 'admin' && !route.startsWith('GET '),
    );
    expect(changes.filter(({ isAudited }) => isAudited !== true)).toEqual([]);
  });
});
