import { CONNECTION_CLOSING_EVENT, NAMESPACES } from '@wafleet/contract';
import { RawConnection, waitFor } from '@wafleet/testkit';
import { Manager, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { call } from '../testing/rest-client.js';
import { TestCluster, type TestTenant } from '../testing/test-cluster.js';
import { ADMIN_TOKEN, type TestEdge } from '../testing/test-edge.js';

let cluster: TestCluster;
let edge: TestEdge;
let tenant: TestTenant;
const managers: Manager[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start();
  edge = await cluster.startEdge({ writerLimits: { maxUnsentBytes: 64 * 1024, maxUnsentPackets: 10_000 } });
});
beforeEach(async () => {
  tenant = await cluster.createTenant();
});
afterEach(() => {
  for (const manager of managers.splice(0))
    for (const namespace of NAMESPACES) manager.socket(namespace).close();
});
afterAll(() => cluster.stop());

interface Joined {
  readonly socket: Socket;
  readonly closings: unknown[];
  readonly reasons: string[];
}

/** Joins both namespaces over one connection, with an API key each. */
async function join(transport: string, keys: readonly [string, string]): Promise<[Joined, Joined]> {
  const manager = new Manager(edge.url, { transports: [transport], reconnectionDelay: 20 });
  managers.push(manager);
  const joinOne = async (namespace: string, token: string): Promise<Joined> => {
    const socket = manager.socket(namespace, { auth: { token } });
    const joined: Joined = { socket, closings: [], reasons: [] };
    socket.on(CONNECTION_CLOSING_EVENT, (closing: unknown) => joined.closings.push(closing));
    socket.on('disconnect', (reason) => joined.reasons.push(reason));
    await waitFor(() => socket.connected, { what: `${namespace} lets it in` });
    return joined;
  };
  return [await joinOne(NAMESPACES[0], keys[0]), await joinOne(NAMESPACES[1], keys[1])];
}

async function closedFor(reason: string): Promise<number> {
  const text = await (await fetch(`${edge.url}/metrics`)).text();
  const line = new RegExp(`^wafleet_edge_connections_closed_total\\{reason="${reason}"\\} (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1]);
}

describe('namespaces that share a connection', () => {
  it.each([['websocket'], ['polling']])('all learn over %s that their key was revoked', async (transport) => {
    const before = await closedFor('KEY_REVOKED');
    const both = await join(transport, [tenant.key, tenant.key]);
    await call(edge.url, `DELETE /api/keys/${tenant.keyId}`, { key: ADMIN_TOKEN });
    await waitFor(() => both.every(({ socket }) => socket.disconnected), { what: 'both are gone' });
    for (const { closings, reasons, socket } of both) {
      expect(closings).toMatchObject([{ code: 'KEY_REVOKED' }]);
      expect(reasons).toEqual(['io server disconnect']);
      expect(socket.active).toBe(false);
    }
    expect(await closedFor('KEY_REVOKED')).toBe(before + 1);
  });

  it('learn of a revocation only if it is of their key; one with another key comes back', async () => {
    const other = await cluster.createKey(tenant.tenantId);
    const [revoked, valid] = await join('websocket', [tenant.key, other.key]);
    await call(edge.url, `DELETE /api/keys/${tenant.keyId}`, { key: ADMIN_TOKEN });
    await waitFor(() => valid.reasons.length === 1 && valid.socket.connected, { what: 'it is back' });
    expect(revoked.closings).toMatchObject([{ code: 'KEY_REVOKED' }]);
    expect(revoked.socket.active).toBe(false);
    expect(valid.closings).toEqual([]);
    expect(valid.reasons).toEqual(['transport close']);
  });

  it('all get the reason when the client does not read what was sent', async () => {
    const worker = await cluster.startWorker();
    const fence = await worker.own(tenant.tenantId, 'shop-1');
    const raw = await RawConnection.open(edge.url);
    await raw.join('/', { token: tenant.key });
    await raw.join('/api/events', { token: tenant.key });
    raw.send('42/api/events,1["subscribe",["presence.update"]]');
    await raw.answer(/^43\/api\/events,1\[/);
    raw.forget();
    raw.pause();
    const before = await closedFor('SLOW_CLIENT');
    const presences = { [`${'x'.repeat(100_000)}@lid`]: { lastKnownPresence: 'available' as const } };
    await waitFor(
      async () => {
        await worker.publish(fence, 'presence.update', { id: 'a@lid', presences });
        return (await closedFor('SLOW_CLIENT')) > before;
      },
      { what: 'it is closed', intervalMs: 1 },
    );
    raw.resume();
    await waitFor(() => raw.closeFrame !== undefined, { what: 'it reads to the end' });
    const reported = raw.messages.filter((message) => message.includes(CONNECTION_CLOSING_EVENT));
    expect(reported).toEqual([
      expect.stringMatching(/^42\[.*SLOW_CLIENT/),
      expect.stringMatching(/^42\/api\/events,\[.*SLOW_CLIENT/),
    ]);
  });
});
