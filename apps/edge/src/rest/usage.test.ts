import type { CallInput } from '@wafleet/client';
import { DEFAULT_TENANT_LIMITS, TENANT_LIMIT_NAMES, usageSchema } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import { describe, expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { sendRequest } from '../testing/raw-request.js';
import { ADMIN_TOKEN } from '../testing/test-edge.js';

const fixture = useEdges(2);

const asTenant = (request: string, body?: unknown, edge = fixture.edge) => fixture.send(request, body, edge);

const asAdmin = (request: string, body?: unknown) =>
  sendRequest(fixture.edge.url, request, { key: ADMIN_TOKEN, body });

const pathOf = (tenantId = fixture.tenant.tenantId) => `/api/tenants/${tenantId}/limits`;

const changeLimits = (body: CallInput<'change-tenant-limits'>['body']) =>
  fixture.admin.call('change-tenant-limits', { params: { id: fixture.tenant.tenantId }, body });

describe('GET /api/usage', () => {
  it('tells for each resource what is used, what may be, in which unit and when a rate is back', async () => {
    await changeLimits({ sessions: 9, commands: 4, sessionCreations: 1 });
    await fixture.client.call('create-session', { body: { id: 'second' } });
    const { status, body, headers } = await asTenant('GET /api/usage', undefined, fixture.otherEdge);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    const { resources } = usageSchema.parse(body);
    expect(Object.keys(resources).sort()).toEqual([...TENANT_LIMIT_NAMES].sort());
    expect(resources.sessions).toEqual({ used: 2, limit: 9, unit: 'sessions' });
    expect(resources.commands).toEqual({ used: 0, limit: 4, unit: 'commands' });
    expect(resources.sessionCreations).toMatchObject({ used: 1, limit: 1, unit: 'sessions', windowS: 60 });
    expect(resources.sessionCreations.resetS).toBeGreaterThan(0);
    expect(resources.restUnits).toMatchObject({ unit: 'units', windowS: 10, resetS: expect.any(Number) });
    expect(resources.historyBytes).toMatchObject({ used: 0, unit: 'bytes' });
    expect(resources.bufferedBytes).not.toHaveProperty('used');
  });

  it('takes a key, and shows its own tenant', async () => {
    const { key } = await fixture.cluster.createTenant();
    const { resources } = await fixture.edge.client(key).call('get-usage');
    expect(resources.sessions.used).toBe(0);
    expect(await sendRequest(fixture.edge.url, 'GET /api/usage')).toMatchObject({ status: 401 });
    expect(await asAdmin('GET /api/usage')).toMatchObject({ status: 403 });
  });
});

describe('the limits of a tenant', () => {
  it('are the defaults, and those that were set, until these are set to null', async () => {
    expect(await asAdmin(`GET ${pathOf()}`)).toMatchObject({
      status: 200,
      body: { limits: DEFAULT_TENANT_LIMITS, own: {} },
    });
    expect(await changeLimits({ sessions: 3, restUnits: 700 })).toEqual({
      limits: { ...DEFAULT_TENANT_LIMITS, sessions: 3, restUnits: 700 },
      own: { sessions: 3, restUnits: 700 },
    });
    const back = await asAdmin(`PUT ${pathOf()}`, { sessions: null });
    expect(back.body).toEqual({
      limits: { ...DEFAULT_TENANT_LIMITS, restUnits: 700 },
      own: { restUnits: 700 },
    });
  });

  it('have effect on other edges at once where scripts count, and within seconds elsewhere', async () => {
    await changeLimits({ sessions: 1 });
    expect(await asTenant('POST /api/sessions', {}, fixture.otherEdge)).toMatchObject({
      status: 429,
      body: { error: { code: 'TOO_MANY_SESSIONS' } },
    });
    await changeLimits({ restUnits: 300 });
    const { headers } = await asTenant('GET /api/usage', undefined, fixture.otherEdge);
    expect(headers.get('ratelimit-policy')).toContain('"tenant";q=300;w=10');

    await changeLimits({ restUnits: null, commands: 1 });
    const send = () =>
      asTenant('POST /api/sessions/shop-1/messages', { to: '15551230001', text: 'hi' }, fixture.otherEdge);
    await waitFor(
      async () => (await Promise.all(Array.from({ length: 10 }, send))).some(({ status }) => status === 429),
      { what: 'a send is refused' },
    );
  });

  it.each([
    [{}, 'body'],
    [{ sessions: -1 }, 'body.sessions'],
    [{ sessions: 1.5 }, 'body.sessions'],
    [{ sessions: '5' }, 'body.sessions'],
    [{ restUnits: 1 }, 'body.restUnits'],
    [{ unknown: 5 }, 'body'],
    [{ sessions: 2 ** 60 }, 'body.sessions'],
  ])('refuse %j', async (body, path) => {
    expect(await asAdmin(`PUT ${pathOf()}`, body)).toMatchObject({
      status: 400,
      body: {
        error: {
          code: 'VALIDATION_FAILED',
          details: { issues: expect.arrayContaining([expect.objectContaining({ path })]) },
        },
      },
    });
  });

  it('are the administrator’s to see and change, of tenants that exist', async () => {
    expect(await asTenant(`GET ${pathOf()}`)).toMatchObject({ status: 403 });
    expect(await asTenant(`PUT ${pathOf()}`, { sessions: 5_000 })).toMatchObject({ status: 403 });
    for (const request of [`GET ${pathOf('tnt_none')}`, `PUT ${pathOf('tnt_none')}`]) {
      const body = request.startsWith('PUT') ? { sessions: 5 } : undefined;
      expect(await asAdmin(request, body)).toMatchObject({
        status: 404,
        body: { error: { code: 'TENANT_NOT_FOUND' } },
      });
    }
  });
});
