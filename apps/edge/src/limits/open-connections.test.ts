import { connect, type Socket } from 'node:net';
import { heldConnections, metricOf, waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sendRequest } from '../testing/raw-request.js';
import { SocketClient } from '../testing/socket-client.js';
import { TestCluster, type TestTenant } from '../testing/test-cluster.js';
import type { TestEdge } from '../testing/test-edge.js';
import { connectionBudget } from './descriptor-limit.js';

let cluster: TestCluster;
let tenant: TestTenant;
const clients: Socket[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start();
  tenant = await cluster.createTenant();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});
afterAll(() => cluster.stop());

const portOf = ({ url }: TestEdge) => Number(new URL(url).port);

async function openSilent(edge: TestEdge, count: number, from = '127.0.0.1'): Promise<void> {
  for (let opened = 0; opened < count; opened += 1) {
    const client = connect({ host: '127.0.0.1', port: portOf(edge), localAddress: from });
    client.on('error', () => {});
    clients.push(client);
  }
  await waitFor(() => clients.every(({ connecting }) => !connecting), { what: 'all are connected' });
}

/** One request on a connection of its own, from an address of the loopback network. */
function get(edge: TestEdge, path: string, from: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = connect({ host: '127.0.0.1', port: portOf(edge), localAddress: from });
    let text = '';
    client.on('data', (chunk) => {
      text += chunk.toString();
    });
    client.on('error', reject);
    client.on('close', () => resolve(text));
    client.write(
      `GET ${path} HTTP/1.1\r\nHost: edge\r\nX-Api-Key: ${tenant.key}\r\nConnection: close\r\n\r\n`,
    );
    clients.push(client);
  });
}

describe('connections of one address', () => {
  it('are bounded, while health checks from there and other addresses are answered', async () => {
    const edge = await cluster.startEdge({ clientLimits: { connectionsPerAddress: 20 } });
    await openSilent(edge, 500, '127.0.0.2');
    await waitFor(() => heldConnections(portOf(edge)) <= 20 + 64, { what: 'the rest is cut' });
    const refused = await get(edge, '/api/sessions', '127.0.0.2');
    expect(refused).toMatch(/^HTTP\/1\.1 429 /);
    expect(refused).toMatch(/\r\nretry-after: 5\r\n/i);
    expect(refused).toContain('"code":"TOO_MANY_CONNECTIONS"');
    expect(await get(edge, '/healthz', '127.0.0.2')).toMatch(/^HTTP\/1\.1 200 /);
    expect(await get(edge, '/api/sessions', '127.0.0.3')).toMatch(/^HTTP\/1\.1 200 /);
    expect(
      await metricOf(edge, 'wafleet_edge_limits_exceeded_total{limit="connections_per_address"}'),
    ).toBeGreaterThanOrEqual(480);
    await waitFor(() => heldConnections(portOf(edge)) <= 20 + 2, { what: 'those over the limit are cut' });
  });

  it('have room again when one has left', async () => {
    const edge = await cluster.startEdge({ clientLimits: { connectionsPerAddress: 5 } });
    await openSilent(edge, 5, '127.0.0.2');
    expect(await get(edge, '/api/sessions', '127.0.0.2')).toMatch(/^HTTP\/1\.1 429 /);
    clients[0]?.destroy();
    await waitFor(async () => (await get(edge, '/api/sessions', '127.0.0.2')).startsWith('HTTP/1.1 200 '), {
      what: 'there is room',
    });
  });

  it('through a trusted proxy count for those whom it carries', async () => {
    const edge = await cluster.startEdge({
      clientLimits: { connectionsPerAddress: 3, trustedProxies: ['loopback'] },
    });
    const join = (address: string) => {
      const client = new SocketClient(`${edge.url}/api/events`, {
        auth: { token: tenant.key },
        transports: ['websocket'],
        extraHeaders: { 'x-forwarded-for': address },
      });
      return client;
    };
    const joined = [1, 2, 3].map(() => join('203.0.113.7'));
    for (const client of joined) await client.connected();
    const headers = { 'x-forwarded-for': '203.0.113.7' };
    expect(await sendRequest(edge.url, 'GET /api/sessions', { key: tenant.key, headers })).toMatchObject({
      status: 429,
      body: { error: { code: 'TOO_MANY_CONNECTIONS', details: { limit: 3 } } },
    });
    const other = join('203.0.113.8');
    await other.connected();
    for (const client of [...joined, other]) client.close();
    await waitFor(
      async () =>
        (await sendRequest(edge.url, 'GET /api/sessions', { key: tenant.key, headers })).status === 200,
      { what: 'there is room again' },
    );
  });
});

describe('connections of all addresses', () => {
  it('are bounded, while health checks are answered', async () => {
    const edge = await cluster.startEdge({ clientLimits: { connections: 20 } });
    for (let last = 2; last < 7; last += 1) await openSilent(edge, 10, `127.0.0.${last}`);
    expect(await get(edge, '/healthz', '127.0.0.9')).toMatch(/^HTTP\/1\.1 200 /);
    expect(await get(edge, '/api/sessions', '127.0.0.9')).toContain('"code":"TOO_MANY_CONNECTIONS"');
    expect(
      await metricOf(edge, 'wafleet_edge_limits_exceeded_total{limit="connections"}'),
    ).toBeGreaterThanOrEqual(30);
  });
});

it.each([
  [0, 1_024, { clients: 537, peers: 268 }],
  [0, 1_048_576, { clients: 550_502, peers: 275_251 }],
  [200, 1_024, { clients: 200, peers: 268 }],
  [5_000, 1_024, { clients: 537, peers: 268 }],
])('of %i wanted connections, %i descriptors allow %j', (wanted, limit, budget) => {
  expect(connectionBudget(wanted, limit)).toEqual(budget);
  expect(budget.clients + budget.peers + 64).toBeLessThan(limit);
});
