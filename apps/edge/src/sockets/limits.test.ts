import { CONNECTION_CLOSING_EVENT, problemSchema } from '@wafleet/contract';
import { metricOf, waitFor } from '@wafleet/testkit';
import { Socket as RawSocket } from 'engine.io-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sendRequest } from '../testing/raw-request.js';
import { SocketClient } from '../testing/socket-client.js';
import { TestCluster, type TestTenant } from '../testing/test-cluster.js';
import type { TestEdge } from '../testing/test-edge.js';

let cluster: TestCluster;
let tenant: TestTenant;
const clients: SocketClient[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(() => cluster.stop());

type Options = ConstructorParameters<typeof SocketClient>[1] & { key?: string };

function client(edge: TestEdge, { key = tenant.key, auth = {}, ...options }: Options = {}): SocketClient {
  const made = new SocketClient(`${edge.url}/api/events`, {
    auth: { token: key, ...auth },
    transports: ['websocket'],
    ...options,
  });
  clients.push(made);
  return made;
}

const connect = (edge: TestEdge, options?: Options) => client(edge, options).connected();

/** How often a limit was exceeded at an edge. */
function exceeded(edge: TestEdge, limit: string): Promise<number> {
  return metricOf(edge, `wafleet_edge_limits_exceeded_total{limit="${limit}"}`);
}

/** What Socket.IO gives as `auth.pid` when it connects again. */
const RETURNING = { pid: 'x'.repeat(32) };

describe('sockets of one key', () => {
  let edges: readonly [TestEdge, TestEdge];
  let other: TestTenant;

  beforeAll(async () => {
    const start = () => cluster.startEdge({ clientLimits: { socketsPerKey: 3 } });
    edges = [await start(), await start()];
    tenant = await cluster.createTenant();
    other = await cluster.createTenant();
  });

  it('are bounded on all edges together, and have room again when one has left', async () => {
    const first = await connect(edges[0]);
    await connect(edges[1]);
    await connect(edges[0], { transports: ['polling'] });

    for (const edge of edges) {
      const error = await client(edge).refused();
      expect(error.data).toEqual({
        code: 'TOO_MANY_CONNECTIONS',
        message: error.message,
        details: { resource: 'sockets_per_key', limit: 3, retryAfterMs: expect.any(Number) },
      });
      expect(await exceeded(edge, 'sockets_per_key')).toBeGreaterThan(0);
      const stream = await sendRequest(edge.url, 'GET /api/events?events=call', { key: tenant.key });
      expect(stream).toMatchObject({ status: 429, body: { error: { code: 'TOO_MANY_CONNECTIONS' } } });
      expect(Number(stream.headers.get('retry-after'))).toBeGreaterThan(0);
      await connect(edge, { key: other.key });
    }

    first.close();
    await waitFor(() => connect(edges[1]).then(() => true), { what: 'there is room again' });
    await expect(connect(edges[0])).rejects.toThrow('as many as it may have');
  });

  it('that come again get the reason over the transport, and try until there is room', async () => {
    const own = await cluster.createTenant();
    const held = await Promise.all(
      [0, 1, 0].map((index) => connect(edges[index] ?? edges[0], { key: own.key })),
    );
    const returning = client(edges[1], {
      key: own.key,
      auth: RETURNING,
      reconnection: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 50,
    });
    const reasons: unknown[] = [];
    returning.socket.on('disconnect', (_reason, details) => {
      if (details !== undefined && 'context' in details)
        reasons.push(Reflect.get(Object(details.context), 'code'));
    });
    await waitFor(() => reasons.length > 1, { what: 'it is turned away' });
    expect(reasons[0]).toBe(4010);
    held[0]?.close();
    await waitFor(() => returning.socket.connected, { what: 'it gets in' });
  });
});

describe('handshakes', () => {
  it('of one address are bounded, before their key is looked at', async () => {
    const edge = await cluster.startEdge({ clientLimits: { handshakesPerAddress: 1 } });
    tenant = await cluster.createTenant();
    for (let count = 0; count < 5; count += 1) await connect(edge);
    // The fifth and the sixth wrong key find no tokens left.
    const wrong = await client(edge, { key: 'wrong' }).refused();
    expect(wrong.data).toMatchObject({ code: 'UNAUTHORIZED' });

    const polling = await fetch(`${edge.url}/socket.io/?EIO=4&transport=polling`);
    expect(polling.status).toBe(429);
    expect(Number(polling.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(problemSchema.parse(await polling.json()).error).toEqual({
      code: 'TOO_MANY_HANDSHAKES',
      message: expect.any(String),
      details: { resource: 'handshakes_per_address', retryAfterMs: expect.any(Number) },
    });
    expect((await fetch(`${edge.url}/socket.io/?EIO=4&transport=polling&sid=`)).status).toBe(429);
    await client(edge).refused();
    await client(edge, { transports: ['polling'] }).refused();
    const stream = await sendRequest(edge.url, 'GET /api/events?events=call', { key: tenant.key });
    expect(stream).toMatchObject({ status: 429, body: { error: { code: 'TOO_MANY_HANDSHAKES' } } });
    expect(await exceeded(edge, 'handshakes_per_address')).toBe(5);
    expect(await sendRequest(edge.url, 'GET /api/sessions', { key: tenant.key })).toMatchObject({
      status: 200,
    });
  });

  it('on one connection count each', async () => {
    const edge = await cluster.startEdge({ clientLimits: { handshakesPerAddress: 1 } });
    const raw = new RawSocket(edge.url, { path: '/socket.io', transports: ['websocket'] });
    const frames: string[] = [];
    raw.on('message', (frame: unknown) => frames.push(String(frame)));
    raw.on('open', () => raw.send('0{"token":"guess 1"}'));
    await waitFor(() => frames.length === 1, { what: 'the first guess is answered' });
    expect(frames[0]).toContain('UNAUTHORIZED');
    raw.send('0{"token":"guess 2"}');
    await waitFor(() => frames.length === 2, { what: 'the second guess is answered' });
    // The tokens sufficed for one handshake and a fine of nine.
    expect(frames[1]).toMatch(/^4.*"code":"TOO_MANY_HANDSHAKES".*"retryAfterMs":\d+/);
    expect(await exceeded(edge, 'handshakes_per_address')).toBe(1);
    raw.close();
  });

  it('from behind a trusted proxy count for those who make them', async () => {
    const edge = await cluster.startEdge({
      clientLimits: { handshakesPerAddress: 1, trustedProxies: ['loopback'] },
    });
    const open = (address: string) =>
      fetch(`${edge.url}/socket.io/?EIO=4&transport=polling`, { headers: { 'x-forwarded-for': address } });
    for (let count = 0; count < 10; count += 1)
      expect((await open(`198.51.100.${count}, 203.0.113.7`)).ok).toBe(true);
    expect((await open('203.0.113.7')).status).toBe(429);
    expect((await open('203.0.113.8')).status).toBe(200);
  });

  it('with one key are bounded', async () => {
    const edge = await cluster.startEdge({ clientLimits: { handshakesPerKey: 1 } });
    tenant = await cluster.createTenant();
    for (let count = 0; count < 10; count += 1) (await connect(edge)).close();
    const error = await client(edge).refused();
    expect(error.data).toMatchObject({
      code: 'TOO_MANY_HANDSHAKES',
      details: { resource: 'handshakes_per_key', retryAfterMs: expect.any(Number) },
    });
    expect(await exceeded(edge, 'handshakes_per_key')).toBe(1);
    await connect(edge, { key: (await cluster.createTenant()).key });
  });
});

it('lists that are too long are counted, over Socket.IO and over REST', async () => {
  const edge = await cluster.startEdge();
  tenant = await cluster.createTenant();
  const events = Array.from({ length: 65 }, () => 'call');
  const { socket } = await connect(edge);
  const ack: unknown = await socket.timeout(10_000).emitWithAck('subscribe', events);
  expect(ack).toMatchObject({ ok: false, error: { code: 'TOO_MANY_ITEMS' } });
  expect(await exceeded(edge, 'subscription_items')).toBe(1);
  const stream = await sendRequest(edge.url, `GET /api/events?events=${events.join(',')}`, {
    key: tenant.key,
  });
  expect(stream).toMatchObject({ status: 400, body: { error: { code: 'TOO_MANY_ITEMS' } } });
  expect(await exceeded(edge, 'subscription_items')).toBe(2);
});

describe('frames', () => {
  let edge: TestEdge;

  beforeAll(async () => {
    edge = await cluster.startEdge({ clientLimits: { framesPerSecond: 10 } });
    tenant = await cluster.createTenant();
  });

  it.each([['websocket'], ['polling']])(
    'over %s close the connection when there are too many',
    async (transport) => {
      const flooding = await connect(edge, { transports: [transport] });
      const honest = await connect(edge);
      const reported: unknown[] = [];
      flooding.socket.on(CONNECTION_CLOSING_EVENT, (closing: unknown) => reported.push(closing));
      const codes: unknown[] = [];
      flooding.socket.on('disconnect', (_reason, details) =>
        codes.push(Reflect.get(Object(Object(details).context), 'code')),
      );
      for (let count = 0; count < 150; count += 1) flooding.socket.emit('subscribe', ['call']);
      await waitFor(() => flooding.socket.disconnected, { what: 'it is closed' });
      expect(reported).toMatchObject([{ code: 'TOO_MANY_FRAMES' }]);
      if (transport === 'websocket') expect(codes).toEqual([4009]);
      expect(await honest.subscribe(['call'])).toMatchObject({ ok: true });
      expect(await exceeded(edge, 'frames_per_socket')).toBeGreaterThan(0);
    },
  );

  it('that are too large close it with code 1009', async () => {
    const large = await connect(edge);
    const codes: unknown[] = [];
    large.socket.on('disconnect', (_reason, details) =>
      codes.push(Reflect.get(Object(Object(details).context), 'code')),
    );
    large.socket.emit('subscribe', ['x'.repeat(200_000)]);
    await waitFor(() => codes.length > 0, { what: 'it is closed' });
    expect(codes).toEqual([1009]);
    await waitFor(async () => (await exceeded(edge, 'frame_size')) === 1, { what: 'it is counted' });
  });

  it('that are too large are refused over HTTP', async () => {
    const polling = `${edge.url}/socket.io/?EIO=4&transport=polling`;
    const sid = /"sid":"([^"]+)"/.exec(await (await fetch(polling)).text())?.[1];
    const body = `4${'x'.repeat(200_000)}`;
    const answer = await fetch(`${polling}&sid=${sid}`, { method: 'POST', body });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ error: { code: 'PAYLOAD_TOO_LARGE' } });
  });
});
