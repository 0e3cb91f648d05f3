import { CONNECTION_CLOSING_EVENT, NAMESPACES } from '@wafleet/contract';
import { ApiKeys } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRequest } from '../testing/raw-request.js';
import { SocketClient } from '../testing/socket-client.js';
import { TestCluster, type TestTenant } from '../testing/test-cluster.js';
import type { TestEdge } from '../testing/test-edge.js';

const CENTURY_MS = 100 * 365 * 24 * 60 * 60 * 1000;

let cluster: TestCluster;
let edges: readonly [TestEdge, TestEdge];
let tenant: TestTenant;
const clients: SocketClient[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start();
  edges = [await cluster.startEdge(), await cluster.startEdge()];
  tenant = await cluster.createTenant();
});
afterAll(async () => {
  for (const client of clients) client.close();
  await cluster.stop();
});

function keyUntil(expiresAt: number) {
  return new ApiKeys(cluster.connection).create(tenant.tenantId, { expiresAt });
}

function open(address: string, key: string, transport = 'websocket'): SocketClient {
  const client = new SocketClient(address, { auth: { token: key }, transports: [transport] });
  clients.push(client);
  return client;
}

interface Doomed {
  readonly clients: readonly SocketClient[];
  readonly expiresAt: number;
  /** The `connection.closing` events that they received. */
  readonly reported: unknown[];
}

/** Connects clients to both edges with a key that expires soon after, however slow the machine is. */
async function connectDoomed(lifeMs = 1_000): Promise<Doomed> {
  const expiresAt = Date.now() + lifeMs;
  const { key } = await keyUntil(expiresAt);
  const reported: unknown[] = [];
  const doomed = edges
    .flatMap(({ url }) => NAMESPACES.map((namespace) => url + namespace))
    .flatMap((address) => ['websocket', 'polling'].map((transport) => open(address, key, transport)));
  for (const { socket } of doomed) {
    socket.on(CONNECTION_CLOSING_EVENT, (closing: unknown) => reported.push(closing));
  }
  const connected = await Promise.allSettled(doomed.map((client) => client.connected()));
  if (connected.every(({ status }) => status === 'fulfilled'))
    return { clients: doomed, expiresAt, reported };
  return connectDoomed(2 * lifeMs);
}

describe('a key that expires', () => {
  it('loses its sockets on every edge when it does, and they get the reason; others keep theirs', async () => {
    const lasting = await keyUntil(Date.now() + CENTURY_MS);
    const addresses = edges.flatMap(({ url }) => NAMESPACES.map((namespace) => url + namespace));
    const keeping = addresses.flatMap((address) => [open(address, lasting.key), open(address, tenant.key)]);
    for (const client of keeping) await client.connected();
    const { clients: losing, expiresAt, reported } = await connectDoomed();

    await waitFor(() => losing.every(({ socket }) => socket.disconnected), { what: 'its sockets are gone' });
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt);
    expect(reported).toEqual(losing.map(() => ({ code: 'KEY_EXPIRED', message: expect.any(String) })));
    for (const client of keeping) {
      expect(await client.subscribe(['call'])).toMatchObject({ ok: true });
    }
  });

  it('gets KEY_EXPIRED for every call and handshake from then on, on each edge', async () => {
    const { key, expiresAt } = await keyUntil(Date.now() + 1_000);
    for (const { url } of edges) {
      await waitFor(async () => (await sendRequest(url, 'GET /api/sessions', { key })).status === 401, {
        what: 'the key has expired',
      });
      const details = { expiredAt: new Date(expiresAt ?? 0).toISOString() };
      const answer = await sendRequest(url, 'GET /api/sessions', { key });
      expect(answer).toMatchObject({ status: 401, body: { error: { code: 'KEY_EXPIRED', details } } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(await sendRequest(url, 'POST /api/tenants', { key })).toMatchObject({
        status: 401,
        body: { error: { code: 'KEY_EXPIRED' } },
      });
      const error = await open(`${url}/api/events`, key).refused();
      expect(error.data).toEqual({ code: 'KEY_EXPIRED', message: error.message, details });
    }
  });

  it('is unknown once it is revoked, as a key that only resembles it is', async () => {
    const { id, key } = await keyUntil(Date.now() - 1_000);
    const codeOf = async (guess: string) =>
      (await sendRequest(edges[1].url, 'GET /api/sessions', { key: guess })).body;
    expect(await codeOf(key)).toMatchObject({ error: { code: 'KEY_EXPIRED' } });
    expect(await codeOf(key.slice(0, -1))).toMatchObject({ error: { code: 'UNAUTHORIZED' } });

    await edges[0].admin.call('revoke-key', { params: { id } });
    await waitFor(async () => JSON.stringify(await codeOf(key)).includes('UNAUTHORIZED'), {
      what: 'it is unknown',
    });
  });
});
