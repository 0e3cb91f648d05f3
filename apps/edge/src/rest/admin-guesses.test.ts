import { ApiKeys } from '@wafleet/store';
import { describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { sendRequest } from '../testing/raw-request.js';
import { ADMIN_TOKEN } from '../testing/test-edge.js';

const fixture = useCluster({
  clientLimits: { trustedProxies: ['loopback'] },
  metricsToken: 'metrics-token-of-a-test',
});

const from = (address: string, request: string, key: string) =>
  sendRequest(fixture.edge.url, request, {
    key,
    headers: { 'x-forwarded-for': address },
    ...(request.startsWith('POST') ? { body: { name: 'a tenant' } } : {}),
  });

describe('guesses of the admin token', () => {
  it.each([['POST /api/tenants'], ['GET /api/sessions']])('by %s are bounded', async (request) => {
    const address = request.startsWith('POST') ? '203.0.113.7' : '203.0.113.8';
    for (let time = 0; time < 40; time += 1) await from(address, request, `guess-${time}`);
    const refused = await from(address, 'POST /api/tenants', ADMIN_TOKEN);
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'RATE_LIMITED' } } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    // The answer does not reveal that this token is the right one, either.
    expect(await from(address, 'GET /api/sessions', ADMIN_TOKEN)).toMatchObject({ status: 401 });
    expect(await from('203.0.113.9', 'POST /api/tenants', ADMIN_TOKEN)).toMatchObject({ status: 201 });
  });
});

it('calls with a valid API key of another form are no guesses of the admin token', async () => {
  const { cluster, tenant } = fixture;
  await new ApiKeys(cluster.connection).import(tenant.tenantId, {
    key: 'key-of-another-form',
    name: 'imported',
  });
  const address = '203.0.113.11';
  for (let time = 0; time < 40; time += 1) {
    expect(await from(address, 'GET /api/sessions', 'key-of-another-form')).toMatchObject({ status: 200 });
  }
  expect(await from(address, 'POST /api/tenants', ADMIN_TOKEN)).toMatchObject({ status: 201 });
});

it('the admin token in place of an API key is named as the mistake', async () => {
  expect(await from('203.0.113.12', 'GET /api/sessions', ADMIN_TOKEN)).toMatchObject({
    status: 403,
    body: { error: { message: 'The admin token is for tenants and keys. Use an API key here.' } },
  });
});

describe('/metrics with a token', () => {
  it('is read with it only, and guesses of it are bounded', async () => {
    const metrics = async (token: string, address = '203.0.113.10') => {
      const answer = await fetch(`${fixture.edge.url}/metrics`, {
        headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': address },
      });
      await answer.text();
      return answer.status;
    };
    expect(await metrics('metrics-token-of-a-test')).toBe(200);
    expect(await metrics('wrong')).toBe(401);
    const limited = await fixture.cluster.startEdge({
      clientLimits: { handshakesPerAddress: 0.1 },
      metricsToken: 'metrics-token-of-a-test',
    });
    const statuses: number[] = [];
    for (const token of ['wrong', 'wrong', 'metrics-token-of-a-test']) {
      const answer = await fetch(`${limited.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
      await answer.text();
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([401, 429, 429]);
  });
});
