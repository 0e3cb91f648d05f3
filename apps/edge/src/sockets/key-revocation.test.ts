import { CONNECTION_CLOSING_EVENT } from '@wafleet/contract';
import { ApiKeys } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRequest } from '../testing/raw-request.js';
import { SocketClient } from '../testing/socket-client.js';
import { TestCluster, type TestTenant } from '../testing/test-cluster.js';
import type { TestEdge } from '../testing/test-edge.js';

let cluster: TestCluster;
let edges: readonly [TestEdge, TestEdge];
const clients: SocketClient[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start();
  edges = [await cluster.startEdge(), await cluster.startEdge()];
});
afterAll(async () => {
  for (const client of clients) client.close();
  await cluster.stop();
});

function connect(
  edge: TestEdge,
  namespace: string,
  { key }: TestTenant,
  transports = ['polling', 'websocket'],
) {
  const client = new SocketClient(edge.url + namespace, { auth: { token: key }, transports });
  clients.push(client);
  return client.connected();
}

describe('a revoked key', () => {
  it('loses its sockets on every edge and is let in by none; other keys keep theirs', async () => {
    const revoked = await cluster.createTenant();
    const other = await cluster.createTenant();
    const losing: SocketClient[] = [];
    const keeping: SocketClient[] = [];
    for (const edge of edges) {
      for (const namespace of ['/', '/api/events']) {
        losing.push(await connect(edge, namespace, revoked));
        keeping.push(await connect(edge, namespace, other));
      }
      expect(await sendRequest(edge.url, 'GET /api/sessions', { key: revoked.key })).toMatchObject({
        status: 200,
      });
    }

    await edges[0].admin.call('revoke-key', { params: { id: revoked.keyId } });

    await waitFor(() => losing.every(({ socket }) => socket.disconnected), { what: 'its sockets are gone' });
    for (const edge of edges) {
      expect(await sendRequest(edge.url, 'GET /api/sessions', { key: revoked.key })).toMatchObject({
        status: 401,
      });
      await expect(connect(edge, '/', revoked)).rejects.toThrow('revoked');
    }
    for (const client of keeping) {
      expect(await client.subscribe(['call'])).toMatchObject({ ok: true });
    }
  });

  it.each([['websocket'], ['polling']])('gets KEY_REVOKED as the reason over %s', async (transport) => {
    const revoked = await cluster.createTenant();
    const client = await connect(edges[1], '/api/events', revoked, [transport]);
    const reported: unknown[] = [];
    client.socket.on(CONNECTION_CLOSING_EVENT, (closing: unknown) => reported.push(closing));
    await edges[0].admin.call('revoke-key', { params: { id: revoked.keyId } });
    await waitFor(() => client.socket.disconnected, { what: 'its socket is gone' });
    expect(reported).toEqual([{ code: 'KEY_REVOKED', message: expect.stringContaining('revoked') }]);
  });

  it('loses its sockets even on an edge that the word of it did not reach', async () => {
    const revoked = await cluster.createTenant();
    const client = await connect(edges[1], '/api/events', revoked);
    await new ApiKeys(cluster.connection).revoke(revoked.keyId);
    expect(await client.subscribe(['call'])).toMatchObject({ ok: true });

    await cluster.connection.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await waitFor(() => client.socket.disconnected, { what: 'its socket is gone' });
  });
});
