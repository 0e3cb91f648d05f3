import { get, type IncomingMessage } from 'node:http';
import type { TenantLimit } from '@wafleet/contract';
import { EventLog, SocketCounts, type TenantLimitChanges } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { sendRequest } from '../testing/raw-request.js';
import { SocketClient } from '../testing/socket-client.js';
import type { TestEdge } from '../testing/test-edge.js';

const MIB = 1024 * 1024;
const fixture = useEdges(2);

async function setLimits(changes: TenantLimitChanges): Promise<void> {
  const params = { id: fixture.tenant.tenantId };
  await fixture.admin.call('change-tenant-limits', { params, body: changes });
}

/** What the tenant uses, as the other edge reports it. */
async function used(name: TenantLimit): Promise<number | undefined> {
  const { resources } = await fixture.otherEdge.client(fixture.tenant.key).call('get-usage');
  return resources[name].used;
}

function client(edge: TestEdge, key = fixture.tenant.key): SocketClient {
  return fixture.keep(
    new SocketClient(`${edge.url}/api/events`, { auth: { token: key }, transports: ['websocket'] }),
  );
}

/** Fills the tenant's log with `call`s of 20 kB each. */
async function fillLog(count: number): Promise<void> {
  const log = new EventLog(fixture.cluster.connection);
  const body = JSON.stringify({ sessionId: 'shop-1', text: 'x'.repeat(20_000) });
  for (let left = count; left > 0; left -= 10) {
    await log.append(
      fixture.shop,
      Array.from({ length: 10 }, () => ({ event: 'call' as const, body })),
    );
  }
}

async function openWithoutReading({ url }: TestEdge): Promise<void> {
  const headers = { 'x-api-key': fixture.tenant.key };
  const response = await new Promise<IncomingMessage>((resolve) =>
    get(`${url}/api/events?events=call&since=0-0`, { headers }, resolve),
  );
  response.on('error', () => {});
  fixture.keep({ close: () => response.destroy() });
}

async function metric({ metrics }: TestEdge, name: string): Promise<number> {
  const line = (await metrics.text()).split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
}

const exceeded = (edge: TestEdge, limit: string) =>
  metric(edge, `wafleet_edge_limits_exceeded_total{limit="${limit}"}`);

it('`sockets` bounds the connections of all keys of a tenant on all edges, and a change needs no restart', async () => {
  await setLimits({ sockets: 2 });
  const { key } = await fixture.cluster.createKey(fixture.tenant.tenantId);
  const [first] = [await client(fixture.edge).connected(), await client(fixture.edge, key).connected()];
  const error = await client(fixture.otherEdge).refused();
  expect(error.data).toMatchObject({
    code: 'TOO_MANY_CONNECTIONS',
    details: { resource: 'sockets', limit: 2, retryAfterMs: expect.any(Number) },
  });
  const stream = await sendRequest(fixture.otherEdge.url, 'GET /api/events?events=call', { key });
  expect(stream).toMatchObject({ status: 429, body: { error: { code: 'TOO_MANY_CONNECTIONS' } } });
  expect(stream.headers.get('retry-after')).toBe('5');
  expect(await exceeded(fixture.otherEdge, 'sockets')).toBeGreaterThanOrEqual(2);
  // A refused client is removed from the count after the refusal.
  await waitFor(async () => (await used('sockets')) === 2, { what: 'the refused ones do not count' });
  const other = await fixture.cluster.createTenant();
  await client(fixture.otherEdge, other.key).connected();

  await setLimits({ sockets: 3 });
  const enter = () => client(fixture.otherEdge).connected();
  await waitFor(() => enter().then(() => true), { what: 'the change has effect on the other edge' });
  await waitFor(async () => (await used('sockets')) === 3, { what: 'only those that are in count' });
  await setLimits({ sockets: 1 });
  first.close();
  await waitFor(async () => (await used('sockets')) === 2, { what: 'it has left' });
  await waitFor(
    async () => {
      await client(fixture.edge).refused();
      return true;
    },
    { what: 'no other client comes in' },
  );
});

it('`replays` and `replayBytes` bound what all edges read for a tenant together, and a change needs no restart', async () => {
  await fillLog(300);
  await setLimits({ replays: 1, replayBytes: MIB });
  const reading = await client(fixture.edge).connected();
  expect(await reading.subscribe({ events: ['call'], since: '0-0' })).toMatchObject({ ok: true });
  const waiting = await client(fixture.otherEdge).connected();
  expect(await waiting.subscribe({ events: ['call'], since: '0-0' })).toMatchObject({
    ok: false,
    error: { code: 'TOO_MANY_REPLAYS', details: { resource: 'replays', limit: 1, used: 1 } },
  });
  expect(await exceeded(fixture.otherEdge, 'replays')).toBeGreaterThan(0);
  expect(await used('replays')).toBe(1);

  await setLimits({ replays: 2 });
  expect(await waiting.subscribe({ events: ['call'], since: '0-0' })).toMatchObject({ ok: true });
  await waitFor(async () => ((await used('replayBytes')) ?? 0) >= MIB, { what: 'the rate is used up' });
  expect(reading.received.length + waiting.received.length).toBeLessThan(300);
  expect(await used('replays')).toBe(2);

  await setLimits({ replayBytes: 1024 * MIB });
  await waitFor(() => reading.received.length === 300 && waiting.received.length === 300, {
    what: 'all events come',
    timeoutMs: 60_000,
  });
  await waitFor(async () => (await used('replays')) === 0, { what: 'nothing is replayed any more' });
}, 120_000);

it('a client that leaves during a replay leaves room for another one', async () => {
  await fillLog(300);
  await setLimits({ replays: 1, replayBytes: MIB });
  const leaving = await client(fixture.edge).connected();
  expect(await leaving.subscribe({ events: ['call'], since: '0-0' })).toMatchObject({ ok: true });
  expect(await used('replays')).toBe(1);
  leaving.close();
  await waitFor(async () => (await used('replays')) === 0, { what: 'it does not count any more' });
});

it('what an edge that was killed held stops counting', async () => {
  await setLimits({ sockets: 1, replays: 1 });
  const { tenantId } = fixture.tenant;
  const dead = new SocketCounts(fixture.cluster.connection, { edgeId: 'edge_dead' });
  await dead.beat();
  await dead.write(new Map([[`tenant:${tenantId}` as const, 1]]));
  // As if the lease had been renewed 14 s ago for the last time.
  const leases = `wf:{${tenantId}}:leases:replays`;
  await fixture.cluster.connection.zadd(leases, Date.now() + 1_000, 'edge_dead/lease');
  expect([await used('sockets'), await used('replays')]).toEqual([1, 1]);
  expect((await client(fixture.edge).refused()).data).toMatchObject({ details: { resource: 'sockets' } });
  const entered = await waitFor(
    () =>
      client(fixture.edge)
        .connected()
        .catch(() => undefined),
    { what: 'its connections do not count any more', timeoutMs: 30_000, intervalMs: 200 },
  );
  await fillLog(10);
  const subscribed = async () => (await entered.subscribe({ events: ['call'], since: '0-0' })).ok;
  await waitFor(subscribed, { what: 'its replays do not count any more' });
}, 60_000);

it('`bufferedBytes` bounds what waits for the clients of a tenant, and a change needs no restart', async () => {
  const buffered = () => metric(fixture.edge, 'wafleet_edge_buffered_bytes');
  await fillLog(600);
  for (let count = 0; count < 30; count += 1) await openWithoutReading(fixture.edge);
  await waitFor(async () => (await buffered()) > 2 * MIB, { what: 'much waits for clients' });
  await setLimits({ bufferedBytes: MIB });
  await waitFor(async () => (await buffered()) <= MIB, { what: 'the slowest clients are closed' });
  expect(
    await metric(fixture.edge, 'wafleet_edge_connections_closed_total{reason="SLOW_CLIENT"}'),
  ).toBeGreaterThan(0);
}, 120_000);

it('`resumeRecords` bounds what is remembered of the clients of a tenant', async () => {
  const enter = async (edge: TestEdge) => {
    const entered = await client(edge).connected();
    expect(await entered.subscribe({ events: ['call'] })).toMatchObject({ ok: true });
  };
  for (const edge of fixture.edges) await enter(edge);
  expect(await used('resumeRecords')).toBe(2);
  expect(await used('resumeBytes')).toBeGreaterThan(0);
  await setLimits({ resumeRecords: 1 });
  await enter(fixture.otherEdge);
  expect(await used('resumeRecords')).toBe(1);
});
