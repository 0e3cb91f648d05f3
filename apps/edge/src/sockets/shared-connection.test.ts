import { CONNECTION_CLOSING_EVENT, NAMESPACES } from '@wafleet/contract';
import { RawConnection, waitFor } from '@wafleet/testkit';
import { Manager, type Socket } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';

const fixture = useCluster({ writerLimits: { maxUnsentBytes: 64 * 1024, maxUnsentPackets: 10_000 } });
const managers: Manager[] = [];

afterEach(() => {
  for (const manager of managers.splice(0))
    for (const namespace of NAMESPACES) manager.socket(namespace).close();
});

interface Joined {
  readonly socket: Socket;
  readonly closings: unknown[];
  readonly reasons: string[];
}

/** Joins both namespaces over one connection, with an API key each. */
async function join(transport: string, keys: readonly [string, string]): Promise<[Joined, Joined]> {
  const manager = new Manager(fixture.edge.url, { transports: [transport], reconnectionDelay: 20 });
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
  const text = await (await fetch(`${fixture.edge.url}/metrics`)).text();
  const line = new RegExp(`^wafleet_edge_connections_closed_total\\{reason="${reason}"\\} (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1]);
}

describe('namespaces that share a connection', () => {
  it.each([['websocket'], ['polling']])('all learn over %s that their key was revoked', async (transport) => {
    const before = await closedFor('KEY_REVOKED');
    const both = await join(transport, [fixture.tenant.key, fixture.tenant.key]);
    await fixture.edge.admin.call('revoke-key', { params: { id: fixture.tenant.keyId } });
    await waitFor(() => both.every(({ socket }) => socket.disconnected), { what: 'both are gone' });
    for (const { closings, reasons, socket } of both) {
      expect(closings).toMatchObject([{ code: 'KEY_REVOKED' }]);
      expect(reasons).toEqual(['io server disconnect']);
      expect(socket.active).toBe(false);
    }
    expect(await closedFor('KEY_REVOKED')).toBe(before + 1);
  });

  it('learn of a revocation only if it is of their key; one with another key comes back', async () => {
    const other = await fixture.cluster.createKey(fixture.tenant.tenantId);
    const [revoked, valid] = await join('websocket', [fixture.tenant.key, other.key]);
    await fixture.edge.admin.call('revoke-key', { params: { id: fixture.tenant.keyId } });
    await waitFor(() => valid.reasons.length === 1 && valid.socket.connected, { what: 'it is back' });
    expect(revoked.closings).toMatchObject([{ code: 'KEY_REVOKED' }]);
    expect(revoked.socket.active).toBe(false);
    expect(valid.closings).toEqual([]);
    expect(valid.reasons).toEqual(['transport close']);
  });

  it('all get the reason when the client does not read what was sent', async () => {
    const worker = await fixture.cluster.startWorker();
    const fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
    const raw = await RawConnection.open(fixture.edge.url);
    await raw.join('/', { token: fixture.tenant.key });
    await raw.join('/api/events', { token: fixture.tenant.key });
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
