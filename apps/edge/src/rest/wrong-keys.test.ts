import { problemSchema } from '@wafleet/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sendRequest } from '../testing/raw-request.js';
import { SocketClient } from '../testing/socket-client.js';
import { TestCluster, type TestTenant } from '../testing/test-cluster.js';
import { ADMIN_TOKEN, type TestEdge } from '../testing/test-edge.js';

/** One handshake at once. A wrong key is forgotten after 20 s, since the debt is never more than one handshake. */
const ONE_AT_ONCE = { handshakesPerAddress: 0.1 };

let cluster: TestCluster;
let edge: TestEdge;
let tenant: TestTenant;

beforeAll(async () => {
  cluster = await TestCluster.start();
});
beforeEach(async () => {
  edge = await cluster.startEdge({ clientLimits: ONE_AT_ONCE });
  tenant = await cluster.createTenant();
});
afterAll(() => cluster.stop());

const listWith = (key: string, headers: Record<string, string> = {}) =>
  sendRequest(edge.url, 'GET /api/sessions', { key, headers });

async function refused(): Promise<number> {
  const text = await (await fetch(`${edge.url}/metrics`)).text();
  const line = /^wafleet_edge_limits_exceeded_total\{limit="wrong_keys_per_address"\} (\d+)$/m.exec(text);
  return Number(line?.[1]);
}

describe('wrong keys', () => {
  it.each([
    ['GET /api/sessions', 'wrong-key'],
    ['POST /api/sessions', undefined],
    ['POST /api/tenants', 'wrong-admin-token'],
    ['GET /api/passkey', 'wrong-token'],
  ])('from one address are bounded (%s with %s)', async (request, key) => {
    expect(await sendRequest(edge.url, request, { key })).toMatchObject({ status: 401 });
    const { status, headers, body } = await sendRequest(edge.url, request, { key: 'another-wrong-one' });
    expect(status).toBe(429);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(problemSchema.parse(body).error).toEqual({
      code: 'RATE_LIMITED',
      message: expect.any(String),
      details: { resource: 'wrong_keys_per_address', retryAfterMs: expect.any(Number) },
    });
    expect(await refused()).toBe(1);
  });

  it('neither slow down the keys that are in use, nor the administrator', async () => {
    expect(await listWith(tenant.key)).toMatchObject({ status: 200 });
    expect(await listWith('wrong')).toMatchObject({ status: 401 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => listWith(tenant.key)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const body = { name: 'another' };
    expect(await sendRequest(edge.url, 'POST /api/tenants', { key: ADMIN_TOKEN, body })).toMatchObject({
      status: 201,
    });
    expect(await refused()).toBe(0);
  });

  it('are what a key is among when it has been revoked', async () => {
    expect(await listWith(tenant.key)).toMatchObject({ status: 200 });
    await edge.admin.call('revoke-key', { params: { id: tenant.keyId } });
    expect(await listWith(tenant.key)).toMatchObject({ status: 401 });
    expect(await listWith(tenant.key)).toMatchObject({ status: 429 });
  });

  it('count together with handshakes, as one with a wrong key does', async () => {
    expect(await listWith('wrong')).toMatchObject({ status: 401 });
    const client = new SocketClient(edge.url, { auth: { token: tenant.key }, transports: ['polling'] });
    await client.refused();
    client.close();
    const stream = await sendRequest(edge.url, 'GET /api/events?events=call', { key: tenant.key });
    expect(stream).toMatchObject({ status: 429, body: { error: { code: 'TOO_MANY_HANDSHAKES' } } });
    // As for handshakes: only Redis knows whether the key is valid.
    expect(await listWith(tenant.key)).toMatchObject({ status: 429 });
  });

  it('from behind a trusted proxy count for those who send them', async () => {
    edge = await cluster.startEdge({ clientLimits: { ...ONE_AT_ONCE, trustedProxies: ['loopback'] } });
    const from = (address: string) => listWith('wrong', { 'x-forwarded-for': address });
    expect(await from('203.0.113.7')).toMatchObject({ status: 401 });
    expect(await from('203.0.113.7')).toMatchObject({ status: 429 });
    expect(await from('203.0.113.8')).toMatchObject({ status: 401 });
  });
});

describe('right keys', () => {
  it('take nothing of what an address may have', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => listWith(tenant.key)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const other = await cluster.createTenant();
    expect(await listWith(other.key)).toMatchObject({ status: 200 });
  });
});
