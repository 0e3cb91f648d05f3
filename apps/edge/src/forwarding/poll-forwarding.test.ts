import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { EdgeRegistry } from '@wafleet/store';
import { metricOf, waitFor } from '@wafleet/testkit';
import { describe, expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { SocketClient } from '../testing/socket-client.js';
import { Splitter } from '../testing/splitter.js';
import type { TestEdge } from '../testing/test-edge.js';

const fixture = useEdges(3);

const portOf = ({ url }: { url: string }) => Number(new URL(url).port);

async function roundRobin(over = fixture.edges): Promise<Splitter> {
  let turn = 0;
  const next = () => {
    turn += 1;
    return portOf(over[turn % over.length] ?? { url: '' });
  };
  return fixture.keep(await Splitter.open(next));
}

function connect(url: string, options: ConstructorParameters<typeof SocketClient>[1]): Promise<SocketClient> {
  return fixture
    .keep(new SocketClient(`${url}/api/events`, { auth: { token: fixture.tenant.key }, ...options }))
    .connected();
}

const ids = (client: SocketClient) => client.received.map(({ args }) => (args[0] as { id: string }).id);
const transportOf = ({ socket }: SocketClient) => socket.io.engine.transport.name;

function forwarded(edge: TestEdge, outcome: string): Promise<number> {
  return metricOf(edge, `wafleet_edge_requests_forwarded_total{outcome="${outcome}"}`);
}

async function forwardedByAll(outcome: string): Promise<number> {
  const counts = await Promise.all(fixture.edges.map((edge) => forwarded(edge, outcome)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Polls an Engine.IO session. Without an id, it sends the request that opens one. */
const poll = ({ url }: { url: string }, sid?: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/socket.io/?EIO=4&transport=polling${sid === undefined ? '' : `&sid=${sid}`}`, { headers });

async function openSession(edge: TestEdge): Promise<string> {
  const opening = await (await poll(edge)).text();
  return (JSON.parse(opening.slice(1)) as { sid: string }).sid;
}

describe('behind a round robin', () => {
  it.each([
    [['polling'], 'polling'],
    [['polling', 'websocket'], 'websocket'],
    [['websocket'], 'websocket'],
  ])('a client with %j gets every event in order over %s', async (transports, last) => {
    const before = await forwardedByAll('answered');
    const client = await connect((await roundRobin()).url, { transports });
    const lost: string[] = [];
    client.socket.on('disconnect', (reason) => lost.push(reason));
    await client.subscribe(['presence.update']);
    const expected = await fixture.publish(100);
    await waitFor(() => transportOf(client) === last, { what: 'it has its last transport' });
    expected.push(...(await fixture.publish(100)));
    await client.payloads(expected.length);
    expect(ids(client)).toEqual(expected);
    expect(lost).toEqual([]);
    const count = (await forwardedByAll('answered')) - before;
    if (transports.includes('polling')) expect(count).toBeGreaterThan(0);
    else expect(count).toBe(0);
  });

  it('a client whose edge stops goes on with the others', async () => {
    const last = await fixture.cluster.startEdge();
    let turn = 0;
    const next = (bytes: string) => {
      if (turn === 0 && !bytes.includes('sid=')) return portOf(last);
      turn += 1;
      return portOf(fixture.edges[turn % fixture.edges.length] ?? last);
    };
    const splitter = fixture.keep(await Splitter.open(next));
    const client = await connect(splitter.url, {
      transports: ['polling'],
      reconnection: true,
      reconnectionDelay: 20,
    });
    await client.subscribe(['presence.update']);
    const expected = await fixture.publish(3);
    await client.payloads(3);
    await last.stop();
    expected.push(...(await fixture.publish(3)));
    await waitFor(() => new Set(ids(client)).size >= 6, { what: 'it has everything' });
    expect([...new Set(ids(client))]).toEqual(expected);
  });
});

describe('an edge between a client and its own edge, when it stops', () => {
  /**
   * The client's own edge, the edge in between, and a function that routes everything after the next poll past that
   * edge.
   */
  async function between() {
    const { edge: own } = fixture;
    const middle = await fixture.cluster.startEdge();
    let route: 'between' | 'last poll' | 'past' = 'between';
    const choose = (bytes: string) => {
      if (route === 'past' || !bytes.includes('sid=')) return portOf(own);
      if (route === 'last poll' && bytes.startsWith('GET')) route = 'past';
      return portOf(middle);
    };
    const splitter = fixture.keep(await Splitter.open(choose));
    const goPast = (from: 'last poll' | 'past') => {
      route = from;
    };
    return { middle, url: splitter.url, goPast, isPast: () => route === 'past' };
  }

  it('lets a poll that waits end well: the connection stays', async () => {
    const { middle, url, goPast, isPast } = await between();
    const client = await connect(url, { transports: ['polling'] });
    const lost: string[] = [];
    client.socket.on('disconnect', (reason) => lost.push(reason));
    await client.subscribe(['presence.update']);
    const expected = await fixture.publish(3);
    await client.payloads(3);
    goPast('last poll');
    expected.push(...(await fixture.publish(1)));
    await client.payloads(4);
    await waitFor(isPast, { what: 'a poll waits by way of the edge in between' });
    const served = async () => (await fetch(`${middle.url}/healthz`)).ok;
    expect(await served(), 'what came before has been accepted').toBe(true);
    const stopped = middle.stop();
    await waitFor(async () => !(await served().catch(() => false)), { what: 'it takes no more requests' });
    expected.push(...(await fixture.publish(3)));
    await stopped;
    expected.push(...(await fixture.publish(3)));
    await client.payloads(expected.length);
    expect(ids(client)).toEqual(expected);
    expect(lost).toEqual([]);
  });

  it('cuts a WebSocket, and its client connects again without a loss', async () => {
    const { middle, url, goPast } = await between();
    const client = await connect(url, {
      transports: ['polling', 'websocket'],
      reconnection: true,
      reconnectionDelay: 20,
    });
    await client.subscribe(['presence.update']);
    await waitFor(() => transportOf(client) === 'websocket', { what: 'it has upgraded' });
    const expected = await fixture.publish(3);
    await client.payloads(3);
    goPast('past');
    await middle.stop();
    expected.push(...(await fixture.publish(3)));
    await waitFor(() => new Set(ids(client)).size >= 6, { what: 'it has everything' });
    expect([...new Set(ids(client))]).toEqual(expected);
  });
});

describe('a request of another edge’s session', () => {
  it('is refused with a sentence when the edges take none from each other; the client stays on its transport', async () => {
    const alone = [
      await fixture.cluster.startEdge({ peerHost: null }),
      await fixture.cluster.startEdge({ peerHost: null }),
    ] as const;
    const sid = await openSession(alone[0]);
    const answer = await poll(alone[1], sid, { origin: 'https://app.example' });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(await answer.json()).toEqual({
      code: 1,
      message: expect.stringMatching(/Set PEER_HOST.*sticky sessions/),
    });
    expect(await forwarded(alone[1], 'unconfigured')).toBe(1);

    const splitter = fixture.keep(
      await Splitter.open((bytes) => portOf(alone[bytes.includes('transport=websocket') ? 1 : 0])),
    );
    const client = await connect(splitter.url, { transports: ['polling', 'websocket'] });
    await client.subscribe(['presence.update']);
    const expected = await fixture.publish(50);
    await waitFor(async () => (await forwarded(alone[1], 'unconfigured')) === 2, {
      what: 'its WebSocket is refused',
    });
    expected.push(...(await fixture.publish(50)));
    await client.payloads(expected.length);
    expect(ids(client)).toEqual(expected);
    expect(transportOf(client)).toBe('polling');
  });

  it('is refused when that edge is not there any more', async () => {
    const { edge } = fixture;
    const answer = await poll(edge, 'edge_gone.nHgA-x_Yd-dZEAAAC01X');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 1, message: expect.stringContaining('has ended') });
  });

  it('is refused when that edge does not listen where it says', async () => {
    const { edge } = fixture;
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const registry = new EdgeRegistry(fixture.cluster.connection);
    await registry.register('edge_silent', { peerAddress: { host: '127.0.0.1', port, token: 'x' } });
    const before = await forwarded(edge, 'unreachable');
    const answer = await poll(edge, 'edge_silent.nHgA-x_Yd-dZEAAAC01X');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 1, message: expect.stringContaining('PEER_HOST') });
    expect(await forwarded(edge, 'unreachable')).toBe(before + 1);
  });
});

describe('what reaches another edge', () => {
  /** A server that stands where an edge is registered, and the requests that it got. */
  async function spy(edgeId: string, answer: (request: IncomingMessage) => number | undefined) {
    const seen: IncomingMessage[] = [];
    const server: Server = createServer((incoming, response) => {
      seen.push(incoming);
      incoming.resume();
      const status = answer(incoming);
      if (status !== undefined) response.writeHead(status).end('2');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    fixture.keep({ close: () => server.close().closeAllConnections() });
    const { port } = server.address() as AddressInfo;
    const peerAddress = { host: '127.0.0.1', port, token: 'its-token' };
    await new EdgeRegistry(fixture.cluster.connection).register(edgeId, { peerAddress });
    return { seen, sid: `${edgeId}.nHgA-x_Yd-dZEAAAC01X` };
  }

  it('has no API key, no cookie and nothing that a client could claim', async () => {
    const { seen, sid } = await spy('edge_spy', () => 200);
    const answer = await poll(fixture.edge, sid, {
      authorization: `Bearer ${fixture.tenant.key}`,
      'x-api-key': fixture.tenant.key,
      cookie: 'session=secret',
      'x-forwarded-for': '127.0.0.1',
      'x-wafleet-peer-token': 'made-up',
      origin: 'https://app.example',
    });
    expect(await answer.text()).toBe('2');
    expect(seen.map(({ headers }) => headers)).toEqual([
      {
        host: expect.any(String),
        connection: 'keep-alive',
        accept: '*/*',
        origin: 'https://app.example',
        'user-agent': expect.any(String),
        'x-wafleet-peer-token': 'its-token',
      },
    ]);
    expect(seen[0]?.url).toBe(`/socket.io/?EIO=4&transport=polling&sid=${sid}`);
  });

  it('is given up there when the client gives it up', async () => {
    const { seen, sid } = await spy('edge_patient', () => undefined);
    const client = request(`${fixture.edge.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`);
    client.on('error', () => {}).end();
    await waitFor(() => seen.length === 1, { what: 'the request arrives' });
    client.destroy();
    await waitFor(() => seen[0]?.destroyed === true, { what: 'it is given up' });
  });

  it('is refused where another edge has taken its address', async () => {
    const { seen, sid } = await spy('edge_replaced', () => 401);
    const answer = await poll(fixture.edge, sid);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining('has ended') });
    expect(seen).toHaveLength(1);
  });

  it('never goes to an address that a session id names', async () => {
    const { seen } = await spy('edge_hidden', () => 200);
    for (const sid of [
      '127.0.0.1.x',
      'localhost%3A6379.x',
      'http%3A%2F%2F127.0.0.1.x',
      '__proto__.x',
      '%00.x',
    ]) {
      const answer = await poll(fixture.edge, sid);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: 1 });
    }
    expect(seen).toEqual([]);
  });
});

describe('a made-up session of another edge', () => {
  const madeUp = (number: number) => `edge_${String(number).padStart(12, '0')}.nHgA-x_Yd-dZEAAAC01X`;

  it('counts as a new connection of its address, since Redis is asked for each', async () => {
    const edge = await fixture.cluster.startEdge({ clientLimits: { handshakesPerAddress: 0.3 } });
    for (const number of [1, 2, 3]) expect((await poll(edge, madeUp(number))).status).toBe(400);
    const more = await Promise.all(Array.from({ length: 30 }, (_, index) => poll(edge, madeUp(10 + index))));
    expect(more.map(({ status }) => status)).toContain(429);
    const name = 'wafleet_edge_limits_exceeded_total{limit="handshakes_per_address"}';
    expect(await metricOf(edge, name)).toBeGreaterThan(0);
  });

  it('counts once while what Redis said of its edge is known', async () => {
    const edge = await fixture.cluster.startEdge({ clientLimits: { handshakesPerAddress: 0.3 } });
    for (let time = 0; time < 6; time += 1) expect((await poll(edge, madeUp(7))).status).toBe(400);
  });
});

describe('the address for other edges', () => {
  async function addressOf(sid: string) {
    const registration = await new EdgeRegistry(fixture.cluster.connection).find(sid.split('.')[0] ?? '');
    const { host, port, token } = registration?.peerAddress ?? { host: '', port: 0, token: '' };
    return { url: `http://${host}:${port}`, token };
  }

  it('takes requests of its own sessions only, from those who show its token', async () => {
    const { edge, otherEdge: other } = fixture;
    const sid = await openSession(edge);
    const { url, token } = await addressOf(sid);
    const status = async (path: string, shown?: string) =>
      (await fetch(url + path, { headers: shown === undefined ? {} : { 'x-wafleet-peer-token': shown } }))
        .status;
    const own = `/socket.io/?EIO=4&transport=polling&sid=${sid}`;

    expect(await status(own)).toBe(401);
    expect(await status(own, '')).toBe(401);
    expect(await status(own, `${token}x`)).toBe(401);
    expect(await status('/metrics', token)).toBe(404);
    expect(await status('/socket.io/?EIO=4&transport=polling', token)).toBe(404);
    const foreign = await openSession(other);
    expect(await status(`/socket.io/?EIO=4&transport=polling&sid=${foreign}`, token)).toBe(404);
    await fetch(url + own, {
      method: 'POST',
      headers: { 'x-wafleet-peer-token': token },
      body: '40/api/events,',
    });
    expect(await status(own, token)).toBe(200);
  });

  it('refuses a WebSocket without its token, and closes the connection', async () => {
    const sid = await openSession(fixture.edge);
    const { url } = await addressOf(sid);
    const { hostname, port } = new URL(url);
    const socket = connectTcp({ host: hostname, port: Number(port), allowHalfOpen: true });
    fixture.keep({ close: () => socket.destroy() });
    socket.write(
      [
        `GET /socket.io/?EIO=4&transport=websocket&sid=${sid} HTTP/1.1`,
        'Host: edge',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
        '\r\n',
      ].join('\r\n'),
    );
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    await once(socket, 'end');
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('is different for each edge, and is never sent to a client', async () => {
    const sids = await Promise.all(fixture.edges.map((edge) => openSession(edge)));
    const tokens = await Promise.all(sids.map(async (sid) => (await addressOf(sid)).token));
    expect(new Set(tokens).size).toBe(fixture.edges.length);
    const opening = await (await poll(fixture.edge)).text();
    expect(tokens.filter((token) => opening.includes(token))).toEqual([]);
  });
});
