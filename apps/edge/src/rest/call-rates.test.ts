import { TenantLimitTable } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { isInnerList, parseList } from 'structured-headers';
import { describe, expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { sendRequest } from '../testing/raw-request.js';

const fixture = useEdges(2);

function setLimits(limits: Parameters<TenantLimitTable['change']>[1]): Promise<void> {
  return new TenantLimitTable(fixture.cluster.connection).change(fixture.tenant.tenantId, limits);
}

const get = (path: string, key = fixture.tenant.key, url = fixture.edge.url) =>
  sendRequest(url, `GET ${path}`, { key });

function remaining(headers: Headers): number[] {
  return [...(headers.get('ratelimit') ?? '').matchAll(/r=(\d+)/g)].map(([, number]) => Number(number));
}

/** The items of a structured field (RFC 9651) that is a list: each string with its parameters. */
function itemsOf(headers: Headers, name: string) {
  return parseList(headers.get(name) ?? '').map((item) => {
    if (isInnerList(item)) throw new Error(`${name} has a list within its list`);
    return [item[0], Object.fromEntries(item[1])] as const;
  });
}

describe('REST calls', () => {
  it('report the rates as structured fields, also in a refusal', async () => {
    await setLimits({ restUnits: 20, restUnitsPerKey: 10 });
    const answers = [await get('/api/sessions/none')];
    while (answers.at(-1)?.status !== 429) answers.push(await get('/api/sessions/none'));
    for (const { headers } of answers) {
      expect(itemsOf(headers, 'ratelimit-policy')).toEqual([
        ['tenant', { q: 20, w: 10 }],
        ['key', { q: 10, w: 10 }],
      ]);
      const left = itemsOf(headers, 'ratelimit');
      expect(left.map(([name, parameters]) => [name, Object.keys(parameters)])).toEqual([
        ['tenant', ['r', 't']],
        ['key', ['r', 't']],
      ]);
      for (const value of left.flatMap(([, parameters]) => Object.values(parameters))) {
        expect(value).toSatisfy((number) => Number.isInteger(number) && number >= 0);
      }
    }
    const [, [, ofKey] = []] = itemsOf(answers.at(-1)?.headers ?? new Headers(), 'ratelimit');
    expect(ofKey?.r).toBe(0);
  });

  it('say in every answer what is left of the rates of the tenant and the key', async () => {
    await setLimits({ restUnits: 2_000, restUnitsPerKey: 1_000 });
    const found = await get('/api/sessions/shop-1');
    expect(found.headers.get('ratelimit-policy')).toBe('"tenant";q=2000;w=10, "key";q=1000;w=10');
    expect(found.headers.get('ratelimit')).toBe('"tenant";r=1999;t=1, "key";r=999;t=1');
    const missing = await get('/api/sessions/none');
    expect(missing.status).toBe(404);
    expect(missing.headers.get('ratelimit')).toMatch(/^"tenant";r=\d+;t=\d+, "key";r=\d+;t=\d+$/);
    const made = await sendRequest(fixture.edge.url, 'POST /api/sessions', {
      key: fixture.tenant.key,
      body: { id: 'a b' },
    });
    expect(made.status).toBe(400);
    expect(made.headers.get('ratelimit')).toMatch(/^"tenant"/);
    expect((await get('/api/sessions/shop-1', 'wf_wrong')).headers.get('ratelimit')).toBeNull();
  });

  it('cost by what they take', async () => {
    await setLimits({ restUnits: 10_000, restUnitsPerKey: 10_000 });
    const costs: number[] = [];
    const charge = async (request: string, headers: Record<string, string> = {}) => {
      const { key } = await fixture.cluster.createKey(fixture.tenant.tenantId);
      const answer = await sendRequest(fixture.edge.url, request, { key, headers });
      costs.push(10_000 - (remaining(answer.headers)[1] ?? 0));
    };
    await charge('GET /api/sessions/shop-1');
    await charge('GET /api/sessions');
    await charge('GET /api/sessions?limit=500');
    await charge('GET /api/sessions/shop-1/qr', { accept: 'image/png' });
    await charge('GET /api/sessions/shop-1/qr');
    await charge('POST /api/sessions');
    expect(costs).toEqual([1, 5, 10, 10, 1, 20]);
  });

  it('beyond the rate are refused on all edges, and served again after a while', async () => {
    await setLimits({ restUnits: 100 });
    const other = await fixture.cluster.createTenant();
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        get('/api/sessions/shop-1', fixture.tenant.key, fixture.edges[index % 2]?.url),
      ),
    );
    const served = answers.filter(({ status }) => status === 200).length;
    expect(served).toBeGreaterThanOrEqual(100);
    expect(served).toBeLessThan(250);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({
      error: {
        code: 'RATE_LIMITED',
        details: { resource: 'restUnits', limit: 100, retryAfterMs: expect.any(Number) },
      },
    });
    expect(refused?.headers.get('retry-after')).toBe('1');
    expect(remaining(refused?.headers ?? new Headers())[0]).toBe(0);
    expect(await get('/api/sessions', other.key)).toMatchObject({ status: 200 });
    await waitFor(async () => (await get('/api/sessions/shop-1')).status === 200, {
      what: 'the rate is back',
    });
  });

  it('of one key leave room for the tenant’s other keys', async () => {
    await setLimits({ restUnitsPerKey: 100 });
    const second = await fixture.cluster.createKey(fixture.tenant.tenantId);
    const answers = await Promise.all(Array.from({ length: 200 }, () => get('/api/sessions/shop-1')));
    expect(answers.find(({ status }) => status === 429)?.body).toMatchObject({
      error: { code: 'RATE_LIMITED', details: { resource: 'restUnitsPerKey', limit: 100 } },
    });
    expect(await get('/api/sessions/shop-1', second.key)).toMatchObject({ status: 200 });
  });

  it('that the scope of the key does not allow are counted too', async () => {
    await setLimits({ restUnits: 100 });
    const { key } = await fixture.cluster.createKey(fixture.tenant.tenantId, { scopes: ['events:read'] });
    const answers = await Promise.all(Array.from({ length: 150 }, () => get('/api/sessions/shop-1', key)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403, 429]));
  });
});
