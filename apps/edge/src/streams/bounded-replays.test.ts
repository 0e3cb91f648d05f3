import { get, type IncomingMessage } from 'node:http';
import { EventLog } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { describe, expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { SocketClient } from '../testing/socket-client.js';
import { SseStream } from '../testing/sse-stream.js';
import type { TestEdge } from '../testing/test-edge.js';

const MB = 1024 * 1024;
const fixture = useEdges();

/** Fills the tenant's log with `call`s and `presence.update`s by turns. */
async function fillLog(count: number, bytes: number): Promise<number> {
  const log = new EventLog(fixture.cluster.connection);
  const body = JSON.stringify({ sessionId: 'shop-1', text: 'x'.repeat(bytes) });
  for (let left = count; left > 0; left -= 10) {
    await log.append(
      fixture.shop,
      Array.from({ length: 10 }, (_, index) => ({
        event: index % 2 === 0 ? ('call' as const) : ('presence.update' as const),
        body,
      })),
    );
  }
  return count * bytes;
}

async function metric({ metrics }: TestEdge, name: string): Promise<number> {
  const line = (await metrics.text()).split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.split(' ')[1]);
}

async function connect(edge: TestEdge): Promise<SocketClient> {
  const client = new SocketClient(`${edge.url}/api/events`, {
    auth: { token: fixture.tenant.key },
    transports: ['websocket'],
  });
  return fixture.keep(await client.connected());
}

async function openWithoutReading({ url }: TestEdge): Promise<IncomingMessage> {
  const headers = { 'x-api-key': fixture.tenant.key };
  const address = `${url}/api/events?events=call,presence.update&since=0-0`;
  const response = await new Promise<IncomingMessage>((resolve) => get(address, { headers }, resolve));
  response.on('error', () => {});
  fixture.keep({ close: () => response.destroy() });
  return response;
}

describe('replays', () => {
  it('hold no more than the tenant’s share for clients that do not read, and go on for those that do', async () => {
    const share = 4 * MB;
    const edge = await fixture.cluster.startEdge({
      bufferLimits: { maxBytes: 64 * MB, stallMs: 2_000, stallInNeedMs: 1_000 },
      tenantLimits: { bufferedBytes: share },
    });
    await fillLog(600, 30_000);
    let most = 0;
    const look = async () => {
      most = Math.max(most, await metric(edge, 'wafleet_edge_buffered_bytes'));
    };
    for (let count = 0; count < 30; count += 1) await openWithoutReading(edge);
    await waitFor(
      async () => {
        await look();
        return most > MB;
      },
      { what: 'something waits for clients', intervalMs: 5 },
    );
    const reading = fixture.keep(
      await SseStream.open(edge.url, '?events=call,presence.update&since=0-0', { key: fixture.tenant.key }),
    );
    await waitFor(
      async () => {
        await look();
        return reading.payloads.length === 600;
      },
      { what: 'a client that reads gets all', intervalMs: 20, timeoutMs: 60_000 },
    );
    expect(most).toBeLessThanOrEqual(share);
    const closed = async () =>
      (await edge.metrics.text()).match(/connections_closed_total{reason="SLOW_CLIENT"} (\d+)/)?.[1];
    await waitFor(async () => Number(await closed()) === 30, {
      what: 'those that do not read are closed',
      timeoutMs: 60_000,
    });
    await waitFor(async () => (await metric(edge, 'wafleet_edge_buffered_bytes')) === 0, {
      what: 'nothing waits any more',
    });
  }, 120_000);

  it('of one client are read once, however often it subscribes meanwhile', async () => {
    const size = await fillLog(400, 10_000);
    const before = await metric(fixture.edge, 'wafleet_edge_replayed_bytes_total');
    const client = await connect(fixture.edge);
    const request = { events: ['call'], since: '0-0' };
    const acks = await Promise.all(Array.from({ length: 50 }, () => client.subscribe(request)));
    expect(acks.every(({ ok }) => ok)).toBe(true);
    await waitFor(() => client.received.length >= 200, { what: 'all calls come' });
    await fixture.worker.publish(fixture.shop, 'call', { calls: [] });
    await waitFor(() => client.received.length > 200, { what: 'the client is live' });
    const read = (await metric(fixture.edge, 'wafleet_edge_replayed_bytes_total')) - before;
    expect(read).toBeGreaterThan(0.9 * size);
    expect(read).toBeLessThan(3 * size);
  }, 60_000);

  it('that were interrupted by another subscription give each event once, in the order of the log', async () => {
    await fillLog(200, 10_000);
    const client = await connect(fixture.edge);
    const [calls, presences] = await Promise.all([
      client.subscribe({ events: ['call'], since: '0-0' }),
      client.subscribe({ events: ['presence.update'], since: '0-0' }),
    ]);
    expect([calls.ok, presences.ok]).toEqual([true, true]);
    const [last] = await fixture.publish();
    const ids = () =>
      client.received.map(({ args: [payload] }) => payload as { eventId: string; id?: string });
    await waitFor(() => ids().some(({ id }) => id === last), { what: 'the last event comes' });
    const seqs = ids().map(({ eventId }) => Number.parseInt(eventId.split('-')[1] ?? '', 36));
    expect(new Set(seqs).size).toBe(201);
    expect(seqs).toHaveLength(201);
  }, 60_000);

  it('go on when the request that interrupts them is refused', async () => {
    await fillLog(200, 10_000);
    const client = await connect(fixture.edge);
    const [first, second] = await Promise.all([
      client.subscribe({ events: ['call'], since: '0-0' }),
      client.subscribe({ events: ['no.event'] }),
    ]);
    expect([first.ok, second.ok]).toEqual([true, false]);
    await waitFor(() => client.received.length === 100, { what: 'all calls come' });
    await fixture.worker.publish(fixture.shop, 'call', { calls: [] });
    await waitFor(() => client.received.length === 101, { what: 'the client is live' });
  }, 60_000);

  it('leave out a code to link by that cannot be read or has no end, and give what comes after it', async () => {
    const log = new EventLog(fixture.cluster.connection);
    const valid = { sessionId: 'shop-1', qr: 'still good', expiresAt: new Date(2 ** 42).toISOString() };
    const bodies = [
      '{"qr":',
      '{"qr":"no end"}',
      '{"qr":"not a time","expiresAt":"soon"}',
      JSON.stringify(valid),
    ];
    await log.append(
      fixture.shop,
      bodies.map((body) => ({ event: 'auth.qr' as const, body })),
    );
    await fillLog(10, 100);
    const client = await connect(fixture.edge);
    expect(await client.subscribe({ events: ['auth.qr', 'call'], since: '0-0' })).toMatchObject({ ok: true });
    await waitFor(() => client.received.filter(({ event }) => event === 'call').length === 5, {
      what: 'what comes after them',
    });
    const codes = client.received.filter(({ event }) => event === 'auth.qr');
    expect(codes.map(({ args: [payload] }) => payload)).toMatchObject([{ qr: 'still good' }]);
  });

  it('beyond the number that a tenant may have are refused, over Server-Sent Events with a time to try again', async () => {
    const edge = await fixture.cluster.startEdge({
      replayLimits: { bytesPerSecond: 100_000 },
      tenantLimits: { replays: 1 },
    });
    await fillLog(100, 20_000);
    const first = await connect(edge);
    expect(await first.subscribe({ events: ['call'], since: '0-0' })).toMatchObject({ ok: true });
    await waitFor(async () => (await metric(edge, 'wafleet_edge_replays')) === 1, { what: 'it is read' });
    const second = await connect(edge);
    expect(await second.subscribe({ events: ['call'], since: '0-0' })).toMatchObject({
      ok: false,
      error: { code: 'TOO_MANY_REPLAYS', details: { resource: 'replays', limit: 1, used: 1 } },
    });
    expect(await second.subscribe({ events: ['call'] })).toMatchObject({ ok: true });
    const stream = fixture.keep(
      await SseStream.open(edge.url, '?events=call&since=0-0', { key: fixture.tenant.key }),
    );
    expect(stream.response.status).toBe(429);
    expect(stream.response.headers.get('retry-after')).toBe('1');
  }, 60_000);
});
