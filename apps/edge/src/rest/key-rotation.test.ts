import { CONNECTION_CLOSING_EVENT } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClusterFixture } from '../testing/cluster-fixture.js';
import { errorAnswer, sendRequest } from '../testing/raw-request.js';
import { SocketClient } from '../testing/socket-client.js';
import { ADMIN_TOKEN } from '../testing/test-edge.js';

const fixture = new ClusterFixture();
let clients: SocketClient[] = [];

beforeAll(() => fixture.start(2));
beforeEach(() => fixture.beginTest());
afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
});
afterAll(() => fixture.stop());

const asAdmin = (request: string, body?: unknown) =>
  sendRequest(fixture.edge.url, request, { key: ADMIN_TOKEN, body });
const list = (key: string, { url } = fixture.edge) => sendRequest(url, 'GET /api/sessions', { key });

/** A client of each edge, and what they learn of the end of their connection. */
async function listeners(key: string) {
  const closings: unknown[] = [];
  const connected = await Promise.all(
    fixture.edges.map(({ url }) => {
      const client = new SocketClient(`${url}/api/events`, {
        auth: { token: key },
        transports: ['websocket'],
      });
      clients.push(client);
      client.socket.on(CONNECTION_CLOSING_EVENT, (closing: unknown) => closings.push(closing));
      return client.connected();
    }),
  );
  return { closings, areClosed: () => connected.every(({ socket }) => socket.disconnected) };
}

function rotate(id: string, overlapSeconds: number, expiresAt?: string | null) {
  const body = { overlapSeconds, ...(expiresAt === undefined ? {} : { expiresAt }) };
  return fixture.admin.call('rotate-key', { params: { id }, body });
}

describe('a key that is rotated', () => {
  it('has a successor of the same rights, and ends on every edge when the overlap is over', async () => {
    const { tenantId } = fixture.tenant;
    const limits = { scopes: ['events:read', 'sessions:read'] as const, sessions: ['shop-1'] };
    const body = { tenantId, name: 'till', scopes: [...limits.scopes], sessions: limits.sessions };
    const earlier = await fixture.admin.call('create-key', { body });
    const open = await listeners(earlier.key);
    for (const edge of fixture.edges) expect(await list(earlier.key, edge)).toMatchObject({ status: 200 });

    const { key, replaces, ...successor } = await rotate(earlier.id, 1);
    expect(successor).toMatchObject({ tenantId, name: 'till', ...limits });
    expect(successor).not.toHaveProperty('expiresAt');
    expect(replaces.id).toBe(earlier.id);
    for (const edge of fixture.edges) expect(await list(key, edge)).toMatchObject({ status: 200 });
    const closed = await listeners(key);

    await waitFor(open.areClosed, { what: 'the connections of the earlier key are closed' });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(replaces.expiresAt));
    expect(open.closings).toMatchObject([{ code: 'KEY_EXPIRED' }, { code: 'KEY_EXPIRED' }]);
    const details = { expiredAt: replaces.expiresAt };
    for (const edge of fixture.edges) {
      expect(await list(earlier.key, edge)).toMatchObject(errorAnswer(401, 'KEY_EXPIRED', details));
      expect(await list(key, edge)).toMatchObject({ status: 200 });
    }
    expect(closed.closings).toEqual([]);
    expect(await asAdmin(`GET /api/keys/${earlier.id}`)).toMatchObject({
      status: 200,
      body: { id: earlier.id, expiresAt: replaces.expiresAt },
    });
  });

  it('ends at once without an overlap, and keeps an end that is earlier than the overlap’s', async () => {
    const { keyId, key } = fixture.tenant;
    await list(key, fixture.otherEdge);
    const { replaces } = await rotate(keyId, 0);
    await waitFor(async () => (await list(key, fixture.otherEdge)).status === 401, {
      what: 'the other edge refuses it',
    });
    expect(Date.parse(replaces.expiresAt)).toBeLessThanOrEqual(Date.now());

    const { tenantId } = fixture.tenant;
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const ending = await fixture.admin.call('create-key', { body: { tenantId, expiresAt } });
    const successor = await rotate(ending.id, 3_600);
    expect(successor).toMatchObject({ expiresAt, replaces: { id: ending.id, expiresAt } });
    expect(await rotate(ending.id, 3_600, null)).not.toHaveProperty('expiresAt');
  });

  it('may have expired, if the end of its successor is named', async () => {
    const { tenantId } = fixture.tenant;
    const { keyId } = await fixture.cluster.createKey(tenantId, { expiresAt: Date.now() - 1_000 });
    const body = { overlapSeconds: 0 };
    expect(await asAdmin(`POST /api/keys/${keyId}/rotate`, body)).toMatchObject(
      errorAnswer(400, 'VALIDATION_FAILED', { issues: [{ path: 'body.expiresAt' }] }),
    );
    const { key } = await rotate(keyId, 0, null);
    expect(await list(key)).toMatchObject({ status: 200 });
  });

  it.each([
    [{}, 'body.overlapSeconds'],
    [{ overlapSeconds: -1 }, 'body.overlapSeconds'],
    [{ overlapSeconds: 1.5 }, 'body.overlapSeconds'],
    [{ overlapSeconds: 30 * 86_400 + 1 }, 'body.overlapSeconds'],
    [{ overlapSeconds: 1, expiresAt: '2020-01-01T00:00:00Z' }, 'body.expiresAt'],
    [{ overlapSeconds: 1, scopes: ['events:read'] }, 'body'],
  ])('is not rotated by %j', async (body, path) => {
    expect(await asAdmin(`POST /api/keys/${fixture.tenant.keyId}/rotate`, body)).toMatchObject(
      errorAnswer(400, 'VALIDATION_FAILED', { issues: [{ path }] }),
    );
  });

  it('must exist', async () => {
    const body = { overlapSeconds: 1 };
    expect(await asAdmin('POST /api/keys/key_none/rotate', body)).toMatchObject(
      errorAnswer(404, 'KEY_NOT_FOUND'),
    );
  });
});

describe('a key that is changed', () => {
  it('gets a later end, also for connections that are open', async () => {
    const { tenantId } = fixture.tenant;
    const expiresAt = new Date(Date.now() + 3_000).toISOString();
    const { id, key } = await fixture.admin.call('create-key', { body: { tenantId, expiresAt } });
    const open = await listeners(key);
    const ending = await fixture.cluster.createKey(tenantId, { expiresAt: Date.parse(expiresAt) });
    const other = await listeners(ending.key);
    const changed = await fixture.admin.call('change-key', { params: { id }, body: { expiresAt: null } });
    expect(changed).not.toHaveProperty('expiresAt');
    await waitFor(other.areClosed, { what: 'a key with the same end has ended' });
    for (const edge of fixture.edges) expect(await list(key, edge)).toMatchObject({ status: 200 });
    expect(open.closings).toEqual([]);
    expect(open.areClosed()).toBe(false);
  });

  it('gets another name, and nothing else', async () => {
    const { keyId: id } = fixture.tenant;
    const before = await fixture.admin.call('get-key', { params: { id } });
    const named = await fixture.admin.call('change-key', { params: { id }, body: { name: 'Till' } });
    expect(named).toEqual({ ...before, name: 'Till' });
    const unnamed = await fixture.admin.call('change-key', { params: { id }, body: { name: null } });
    expect(unnamed).toEqual(before);
  });

  it.each([
    { scopes: ['events:read'] },
    { sessions: null },
    { tenantId: 'tnt_1' },
    { name: '' },
    { expiresAt: '2020-01-01T00:00:00Z' },
    { key: 'wf_x' },
  ])('takes no other field: %j', async (body) => {
    expect(await asAdmin(`PATCH /api/keys/${fixture.tenant.keyId}`, body)).toMatchObject(
      errorAnswer(400, 'VALIDATION_FAILED'),
    );
  });

  it('must exist, and is not shown to tenants', async () => {
    expect(await asAdmin('PATCH /api/keys/key_none', { name: 'x' })).toMatchObject(
      errorAnswer(404, 'KEY_NOT_FOUND'),
    );
    expect(await asAdmin('GET /api/keys/key_none')).toMatchObject(errorAnswer(404, 'KEY_NOT_FOUND'));
    const other = await fixture.cluster.createTenant();
    for (const request of [`GET /api/keys/${other.keyId}`, `POST /api/keys/${other.keyId}/rotate`]) {
      expect(
        await fixture.send(request, request.startsWith('POST') ? { overlapSeconds: 0 } : undefined),
      ).toMatchObject(errorAnswer(403, 'FORBIDDEN'));
    }
    expect(await list(other.key)).toMatchObject({ status: 200 });
  });
});

describe('lists of the administrator', () => {
  it('have the keys of a tenant page by page, by a part of their names', async () => {
    const { tenantId } = fixture.tenant;
    for (const name of ['Till 1', 'till 2', 'office', 'TILL 3']) {
      await fixture.admin.call('create-key', { body: { tenantId, name } });
    }
    const params = { id: tenantId };
    const first = await fixture.admin.call('list-keys', { params, query: { limit: 3 } });
    const { nextCursor } = first;
    const rest = await fixture.admin.call('list-keys', { params, query: { limit: 3, cursor: nextCursor } });
    const ids = [...first.items, ...rest.items].map(({ id }) => id);
    expect([first.items.length, rest.items.length, new Set(ids).size]).toEqual([3, 2, 5]);
    const tills = await fixture.admin.call('list-keys', { params, query: { name: 'till' } });
    expect(tills.items.map(({ name }) => name).sort()).toEqual(['TILL 3', 'Till 1', 'till 2']);
  });

  it('have the tenants page by page, by a part of their names', async () => {
    const made = await Promise.all(
      ['Acme one', 'acme two', 'ACME three'].map((name) =>
        fixture.admin.call('create-tenant', { body: { name } }),
      ),
    );
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await fixture.admin.call('list-tenants', { query: { limit: 1, name: 'acme', cursor } });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(made.map(({ id }) => id).sort());
    const [{ id } = { id: '' }] = made;
    expect(await fixture.admin.call('get-tenant', { params: { id } })).toEqual({
      id,
      name: 'Acme one',
      createdAt: expect.any(String),
    });
    const renamed = await fixture.admin.call('change-tenant', { params: { id }, body: { name: 'Bolt' } });
    expect(renamed).toMatchObject({ id, name: 'Bolt' });
    expect(await asAdmin('PATCH /api/tenants/tnt_none', { name: 'x' })).toMatchObject(
      errorAnswer(404, 'TENANT_NOT_FOUND'),
    );
  });

  it.each([
    'GET /api/tenants?limit=0',
    'GET /api/tenants?limit=501',
    'GET /api/tenants?cursor=x',
    'GET /api/tenants?name=',
    'GET /api/tenants?other=1',
    'GET /api/tenants/{id}/keys?cursor=x',
    'GET /api/tenants/{id}/keys?limit=x',
    'GET /api/audit?cursor=x',
    'GET /api/audit?since=yesterday',
    'GET /api/audit?outcome=maybe',
    'GET /api/tenants/{id}/audit?tenantId=x',
  ])('refuse %s', async (request) => {
    expect(await asAdmin(request.replace('{id}', fixture.tenant.tenantId))).toMatchObject(
      errorAnswer(400, 'VALIDATION_FAILED'),
    );
  });
});
