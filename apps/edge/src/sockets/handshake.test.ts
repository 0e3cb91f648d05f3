import { NAMESPACES } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import { Socket as RawSocket } from 'engine.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { SocketClient } from '../testing/socket-client.js';
import { TestCluster } from '../testing/test-cluster.js';

const fixture = useCluster();
const clients: { close(): unknown }[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function client(namespace: string, options: ConstructorParameters<typeof SocketClient>[1]): SocketClient {
  const made = new SocketClient(fixture.edge.url + namespace, options);
  clients.push(made);
  return made;
}

describe.each(NAMESPACES)('connecting to %s', (namespace) => {
  const both = ['polling', 'websocket'];

  it.each([['websocket'], ['polling'], both])('with auth.token, over %s', async (...transports) => {
    const made = client(namespace, { auth: { token: fixture.tenant.key }, transports });
    await made.connected();
  });

  it('with a header', async () => {
    await client(namespace, { extraHeaders: { authorization: `Bearer ${fixture.tenant.key}` } }).connected();
    await client(namespace, { extraHeaders: { 'x-api-key': fixture.tenant.key } }).connected();
  });

  it('with auth.token rather than a header', async () => {
    await client(namespace, {
      auth: { token: fixture.tenant.key },
      extraHeaders: { authorization: 'Bearer unknown' },
    }).connected();
    await client(namespace, {
      auth: { token: 'unknown' },
      extraHeaders: { authorization: `Bearer ${fixture.tenant.key}` },
    }).refused();
  });

  it.each([{}, { token: '' }, { token: 'unknown' }, { token: 7 }, { token: { $ne: '' } }, { token: null }])(
    'not with auth %j, and says why',
    async (auth) => {
      const error = await client(namespace, { auth }).refused();
      expect(error.message).toMatch(/API key/);
      expect(error.data).toEqual({ code: 'UNAUTHORIZED', message: error.message });
    },
  );
});

describe('an edge that cannot reach Redis', () => {
  it('makes the client try again instead of refusing the key', async () => {
    const own = await TestCluster.start();
    const { url } = await own.startEdge();
    const { key } = await own.createTenant();
    const made = new SocketClient(`${url}/api/events`, {
      auth: { token: key },
      reconnection: true,
      reconnectionDelay: 100,
      reconnectionDelayMax: 200,
    });
    let refusals = 0;
    made.socket.on('connect_error', (error: Error & { data?: unknown }) => {
      if (error.data !== undefined) refusals += 1;
    });
    try {
      await own.redis.kill();
      await waitFor(() => made.socket.io.engine?.readyState === 'open', { what: 'it reaches the edge' });
      await own.redis.restart();
      await waitFor(() => made.socket.connected, { what: 'it gets in', timeoutMs: 20_000 });
      expect(refusals).toBe(0);
    } finally {
      made.close();
      await own.stop();
    }
  });
});

/** A client of the transport alone, which writes Socket.IO's frames itself. */
class RawClient {
  readonly frames: string[] = [];
  readonly socket: RawSocket;
  closed = false;

  constructor(transport: 'polling' | 'websocket') {
    this.socket = new RawSocket(fixture.edge.url, { path: '/socket.io', transports: [transport] });
    this.socket.on('message', (frame: unknown) => this.frames.push(String(frame)));
    this.socket.on('close', () => {
      this.closed = true;
    });
    clients.push(this);
  }

  /** Sends frames in one go once the transport is open. */
  send(...frames: string[]): this {
    this.socket.on('open', () => {
      for (const frame of frames) this.socket.send(frame);
    });
    return this;
  }

  async frame(pattern: RegExp): Promise<string> {
    return waitFor(() => this.frames.find((frame) => pattern.test(frame)), { what: `a frame ${pattern}` });
  }

  close(): void {
    this.socket.close();
  }
}

describe('frames that come while the key is being checked', () => {
  const connect = (namespace: string, token: string) =>
    `0${namespace === '/' ? '' : `${namespace},`}${JSON.stringify({ token })}`;
  const prefix = (namespace: string) => (namespace === '/' ? '' : `${namespace},`);

  it.each(NAMESPACES)('JavaScript: what is emitted before connect is served, on %s', async (namespace) => {
    const made = client(namespace, { auth: { token: fixture.tenant.key } });
    const ack = await made.subscribe(['messages.upsert']);
    expect(ack).toMatchObject({ ok: true, events: ['messages.upsert'], sessions: '*' });
  });

  it.each([
    ['/', 'websocket'],
    ['/', 'polling'],
    ['/api/events', 'websocket'],
    ['/api/events', 'polling'],
  ] as const)('wait for it: CONNECT and events back to back on %s over %s', async (namespace, transport) => {
    const raw = new RawClient(transport).send(
      connect(namespace, fixture.tenant.key),
      `2${prefix(namespace)}1["subscribe",["call"]]`,
      `2${prefix(namespace)}2["subscribe",["nope"]]`,
      `2${prefix(namespace)}3["unsubscribe",["call"]]`,
    );
    await raw.frame(/^3.*3\[/);
    const start = `3${prefix(namespace)}`;
    const acks = raw.frames
      .filter((frame) => frame.startsWith(start))
      .map((frame) => frame.slice(start.length));
    expect(acks[0]).toMatch(/^1\[\{"ok":true,"events":\["call"\],"sessions":"\*","position":"\d+-\d+"\}\]$/);
    expect(acks[1]).toMatch(/^2\[\{"ok":false,"error":\{"code":"UNKNOWN_EVENT"/);
    expect(acks[2]).toBe('3[{"ok":true,"events":["call"],"sessions":"*"}]');
    expect(raw.closed).toBe(false);
  });

  it('are dropped when the key is wrong; another namespace of the connection is served', async () => {
    const raw = new RawClient('websocket').send(
      connect('/api/events', 'unknown'),
      '2/api/events,1["subscribe",["*"]]',
      '52-/api/events,["subscribe",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
      connect('/', fixture.tenant.key),
      '2/api/events,2["subscribe",["*"]]',
      '21["subscribe",["call"]]',
    );
    await raw.frame(/^4\/api\/events,.*UNAUTHORIZED/);
    await raw.frame(/^31\[\{"ok":true/);
    expect(raw.frames.filter((frame) => frame.startsWith('3/api/events'))).toEqual([]);
  });

  it('wait for both namespaces of one connection', async () => {
    const raw = new RawClient('websocket').send(
      connect('/', fixture.tenant.key),
      connect('/api/events', fixture.tenant.key),
      '2/api/events,1["subscribe",["call"]]',
      '22["subscribe",["call"]]',
    );
    await raw.frame(/^3\/api\/events,1\[\{"ok":true/);
    await raw.frame(/^32\[\{"ok":true/);
  });

  it('are bounded', async () => {
    const polling = `${fixture.edge.url}/socket.io/?EIO=4&transport=polling`;
    const opened = await (await fetch(polling)).text();
    const sid = /"sid":"([^"]+)"/.exec(opened)?.[1];
    const flood = Array.from({ length: 100 }, (_, index) => `2${index}["subscribe",["call"]]`);
    const payload = [connect('/', fixture.tenant.key), ...flood].map((frame) => `4${frame}`).join('\x1e');
    await fetch(`${polling}&sid=${sid}`, { method: 'POST', body: payload });
    await waitFor(async () => (await fetch(`${polling}&sid=${sid}`)).status === 400, {
      what: 'the connection is closed',
    });
  });

  it('are bounded in bytes', async () => {
    const { key } = await fixture.cluster.createTenant();
    await fixture.cluster.connection.call('CLIENT', 'PAUSE', '3000', 'ALL');
    const large = `21["subscribe",["${'x'.repeat(90_000)}"]]`;
    const raw = new RawClient('websocket').send(connect('/', key), large, large);
    await waitFor(() => raw.closed, { what: 'the connection is closed' });
    expect(raw.frames).toEqual([]);
  });

  it('do not open a namespace that does not exist', async () => {
    const raw = new RawClient('websocket').send(connect('/admin', fixture.tenant.key));
    await raw.frame(/^4\/admin,.*Invalid namespace/);
  });
});

describe('frames that are no packets', () => {
  it.each(['2{', '2["subscribe"', '7', '20["connect",1]', '2["disconnect"]', '9'.repeat(1_000)])(
    'end the connection, and only that one: %s',
    async (frame) => {
      const raw = new RawClient('websocket').send(`0${JSON.stringify({ token: fixture.tenant.key })}`);
      await raw.frame(/^0\{"sid"/);
      raw.socket.send(frame);
      await waitFor(() => raw.closed, { what: 'the connection ends' });
      const made = client('/', { auth: { token: fixture.tenant.key } });
      expect(await made.subscribe(['call'])).toMatchObject({ ok: true });
    },
  );
});
