import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRequest } from '../testing/raw-request.js';
import { TestCluster } from '../testing/test-cluster.js';
import { ADMIN_TOKEN, type TestEdge } from '../testing/test-edge.js';

let cluster: TestCluster;
let edges: readonly [TestEdge, TestEdge];

beforeAll(async () => {
  cluster = await TestCluster.start();
  // Ten handshakes at once. A wrong key costs all ten, and too few come back in a second for a test to notice.
  const options = { clientLimits: { handshakesPerAddress: 1, trustedProxies: ['loopback'] } };
  edges = [await cluster.startEdge(options), await cluster.startEdge(options)];
});
afterAll(() => cluster.stop());

function show(edge: TestEdge, address: string, request: string, key: string) {
  return sendRequest(edge.url, request, {
    key,
    headers: { 'x-forwarded-for': address },
    ...(request.startsWith('POST') ? { body: { name: 'a tenant' } } : {}),
  });
}

/** The names of the counts in Redis. */
const counted = () => cluster.connection.keys('wf:wrong-*');

describe('wrong API keys', () => {
  it('shown at one edge count at the others from the first wrong one there', async () => {
    const [edge, other] = edges;
    const address = '203.0.113.20';
    const tenant = await cluster.createTenant();
    expect(await show(edge, address, 'GET /api/sessions', 'wrong-1')).toMatchObject({ status: 401 });
    expect(await show(edge, address, 'GET /api/sessions', 'wrong-2')).toMatchObject({ status: 429 });
    await waitFor(async () => (await counted()).includes(`wf:wrong-keys:${address}`), {
      what: 'the wrong key is counted',
    });

    // The other edge alone would check a key again after a tenth of the time that both require together.
    expect(await show(other, address, 'GET /api/sessions', 'wrong-3')).toMatchObject({ status: 401 });
    await waitFor(
      async () => {
        const { headers } = await show(other, address, 'GET /api/sessions', tenant.key);
        return Number(headers.get('retry-after')) > 5;
      },
      { what: 'what the first edge saw counts at the other one' },
    );
    expect(await show(other, '203.0.113.21', 'GET /api/sessions', tenant.key)).toMatchObject({ status: 200 });
  });

  it('are counted for all edges only where one was wrong', async () => {
    const [edge] = edges;
    const tenant = await cluster.createTenant();
    await show(edge, '203.0.113.22', 'GET /api/sessions', tenant.key);
    await show(edge, '203.0.113.23', 'GET /api/sessions', 'wrong');
    await waitFor(async () => (await counted()).includes('wf:wrong-keys:203.0.113.23'), {
      what: 'the wrong key is counted',
    });
    expect(await counted()).not.toContain('wf:wrong-keys:203.0.113.22');
  });
});

describe('wrong admin tokens', () => {
  it('shown at one edge count at the others from the first wrong one there', async () => {
    const roomy = { clientLimits: { handshakesPerAddress: 1_000, trustedProxies: ['loopback'] } };
    const edge = await cluster.startEdge(roomy);
    const other = await cluster.startEdge(roomy);
    const address = '203.0.113.30';
    const create = 'POST /api/tenants';
    for (let count = 0; count < 25; count += 1) await show(edge, address, create, `guess-${count}`);
    expect(await show(edge, address, create, 'guess')).toMatchObject({ status: 429 });

    expect(await show(other, address, create, 'guess')).toMatchObject({ status: 401 });
    await waitFor(async () => (await show(other, address, create, ADMIN_TOKEN)).status === 429, {
      what: 'the address waits at the other edge too',
    });
    expect(await show(other, '203.0.113.31', create, ADMIN_TOKEN)).toMatchObject({ status: 201 });
  });

  it('are forgotten at all edges once the right one is shown', async () => {
    const [edge] = edges;
    const roomy = await cluster.startEdge({
      clientLimits: { handshakesPerAddress: 1_000, trustedProxies: ['loopback'] },
    });
    const address = '203.0.113.32';
    await show(roomy, address, 'POST /api/tenants', 'guess');
    await waitFor(async () => (await counted()).includes(`wf:wrong-admin-tokens:${address}`), {
      what: 'the wrong token is counted',
    });
    expect(await show(roomy, address, 'POST /api/tenants', ADMIN_TOKEN)).toMatchObject({ status: 201 });
    await waitFor(async () => !(await counted()).includes(`wf:wrong-admin-tokens:${address}`), {
      what: 'it is forgotten',
    });
    expect(await show(edge, address, 'POST /api/tenants', ADMIN_TOKEN)).toMatchObject({ status: 201 });
  });
});
