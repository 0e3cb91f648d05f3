import { setTimeout as delay } from 'node:timers/promises';
import { sessionPageSchema } from '@wafleet/contract';
import { TenantLimitTable } from '@wafleet/store';
import { describe, expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { sendRequest } from '../testing/raw-request.js';

const fixture = useEdges(2);

function setLimits(limits: Parameters<TenantLimitTable['change']>[1]): Promise<void> {
  return new TenantLimitTable(fixture.cluster.connection).change(fixture.tenant.tenantId, limits);
}

/** Calls both edges in turn. */
function asTenant(request: string, { body, edge = 0 }: { body?: unknown; edge?: number } = {}) {
  const url = (edge % 2 === 0 ? fixture.edge : fixture.otherEdge).url;
  return sendRequest(url, request, { key: fixture.tenant.key, body });
}

describe('the number of sessions', () => {
  it('holds on all edges together, and another tenant is not touched', async () => {
    await setLimits({ sessions: 10 });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => asTenant('POST /api/sessions', { edge: index })),
    );
    // `shop-1` is there already.
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(9);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(31);
    expect(refused[0]?.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(refused[0]?.body).toMatchObject({
      error: { code: 'TOO_MANY_SESSIONS', details: { resource: 'sessions', limit: 10, used: 10 } },
    });
    const { key } = await fixture.cluster.createTenant();
    expect(await sendRequest(fixture.edge.url, 'POST /api/sessions', { key })).toMatchObject({ status: 201 });

    expect(await asTenant('DELETE /api/sessions/shop-1')).toMatchObject({ status: 204 });
    expect(await asTenant('POST /api/sessions')).toMatchObject({ status: 201 });
  });

  it('that may be made in a minute holds for tenants that remove them again', async () => {
    await setLimits({ sessionCreations: 5 });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => asTenant('POST /api/sessions', { edge: index })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({
      error: { code: 'RATE_LIMITED', details: { resource: 'sessionCreations', limit: 5 } },
    });
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(5);
  });
});

describe('GET /api/sessions', () => {
  const create = async (count: number) => {
    for (let index = 1; index < count; index += 1) {
      await fixture.cluster.sessions.create({ tenantId: fixture.tenant.tenantId, sessionId: `s${index}` });
    }
  };

  it('lists all sessions page by page, each once, oldest first', async () => {
    for (const sessionId of ['s1', 's2', 's3', 's4', 's5', 's6']) {
      // Sessions that are made in the same millisecond have the order of their ids; one is there already.
      await delay(2);
      await fixture.cluster.sessions.create({ tenantId: fixture.tenant.tenantId, sessionId });
    }
    const seen: string[] = [];
    let path = '/api/sessions?limit=3';
    for (;;) {
      const { status, body, headers } = await asTenant(`GET ${path}`, { edge: seen.length });
      expect(status).toBe(200);
      const { items, nextCursor } = sessionPageSchema.parse(body);
      seen.push(...items.map(({ id }) => id));
      expect(headers.get('link')).toBe(
        nextCursor === undefined ? null : `</api/sessions?limit=3&cursor=${nextCursor}>; rel="next"`,
      );
      if (nextCursor === undefined) break;
      path = `/api/sessions?limit=3&cursor=${nextCursor}`;
    }
    expect(seen).toEqual(['shop-1', 's1', 's2', 's3', 's4', 's5', 's6']);
  });

  it('gives clients that ask for no page a bounded one, with a link to the rest', async () => {
    await create(252);
    const { body, headers } = await asTenant('GET /api/sessions');
    expect(sessionPageSchema.parse(body).items).toHaveLength(250);
    const [, next = ''] = /^<(.*)>; rel="next"$/.exec(headers.get('link') ?? '') ?? [];
    const rest = await asTenant(`GET ${next}`);
    expect(sessionPageSchema.parse(rest.body).items.map(({ id }) => id)).toEqual(['s250', 's251']);
  });

  it('lists those of a status, a name or a number, page by page', async () => {
    const { tenantId } = fixture.tenant;
    const worker = await fixture.cluster.startWorker();
    const names = ['Till north', 'office', 'TILL south', 'till'];
    for (const [index, name] of names.entries()) {
      const ref = { tenantId, sessionId: `named-${index}` };
      await fixture.cluster.sessions.create(ref, { name });
      const fence = await worker.claim(ref);
      await worker.sessions.setStatus(fence, {
        status: index < 3 ? 'open' : 'failed',
        phone: `1555000100${index}`,
      });
    }
    const idsOf = async (query: string) => {
      const ids: string[] = [];
      let path = `/api/sessions?${query}`;
      for (;;) {
        const { status, body, headers } = await asTenant(`GET ${path}`);
        expect(status).toBe(200);
        ids.push(...sessionPageSchema.parse(body).items.map(({ id }) => id));
        const [, next] = /^<(.*)>; rel="next"$/.exec(headers.get('link') ?? '') ?? [];
        if (next === undefined) return ids;
        path = next;
      }
    };
    expect(await idsOf('status=open')).toEqual(['named-0', 'named-1', 'named-2']);
    expect(await idsOf('status=open,failed&limit=1')).toEqual(['named-0', 'named-1', 'named-2', 'named-3']);
    expect(await idsOf('name=till&limit=2')).toEqual(['named-0', 'named-2', 'named-3']);
    expect(await idsOf('name=till&status=failed')).toEqual(['named-3']);
    expect(await idsOf('phone=%2B15550001001')).toEqual(['named-1']);
    expect(await idsOf('status=connecting')).toEqual([]);
  });

  it.each([
    ...['limit=0', 'limit=501', 'limit=x', 'cursor=x', 'limit=2&cursor='],
    ...['status=other', 'status=', 'status=open,', 'name=', 'phone=x', 'status=open&cursor=x'],
  ])('refuses ?%s', async (query) => {
    expect(await asTenant(`GET /api/sessions?${query}`)).toMatchObject({
      status: 400,
      body: { error: { code: 'VALIDATION_FAILED' } },
    });
  });
});
