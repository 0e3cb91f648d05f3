import { on, once } from 'node:events';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { inspect } from 'node:util';
import { Simulator } from '@wafleet/simulator';
import { type ProxyFault, type TestProxy, type TestProxyOptions, waitFor } from '@wafleet/testkit';
import { generate } from 'selfsigned';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { AddressRules } from './address-rules.js';
import { EgressProxy } from './egress-proxy.js';
import { type ProxyError, proxyErrorIn } from './proxy-error.js';
import { ProxyRoute } from './proxy-route.js';
import { proxyForTest } from './testing/index.js';
import { openTunnel } from './tunnel.js';

const CREDENTIALS = { username: 'customer', password: 'p@ss:wörd-topsecret' };
const FROM = '127.0.0.2';

/** Serves http, https, ws and wss on one port. */
const simulator = new Simulator();
let ca: string;

beforeAll(async () => {
  await simulator.start();
  ca = await simulator.certificate();
});

afterAll(() => simulator.stop());

const rules = AddressRules.parse('127.0.0.1');

function routeTo(url: string, timeoutMs?: number): ProxyRoute {
  const route = new ProxyRoute(EgressProxy.parse(url), { rules, timeoutMs, ca });
  onTestFinished(() => route.close());
  return route;
}

function proxyFor(options: TestProxyOptions): Promise<TestProxy> {
  const names = { 'whatsapp.invalid:443': simulator.host, 'mmg.whatsapp.net:443': simulator.host };
  return proxyForTest({ names, ...options });
}

/** Each way in which libraries connect. Resolves once something was answered through the proxy. */
const WAYS = {
  'http agent': async ({ httpAgent: agent }: ProxyRoute) => {
    const [response]: IncomingMessage[] = await once(
      httpGet(`http://${simulator.host}/healthz`, { agent }),
      'response',
    );
    response?.resume();
    return response?.statusCode;
  },
  'https agent': async ({ httpsAgent: agent }: ProxyRoute) => {
    const [response]: IncomingMessage[] = await once(
      httpsGet(`https://mmg.whatsapp.net/healthz`, { agent }),
      'response',
    );
    response?.resume();
    return response?.statusCode;
  },
  ws: ({ httpAgent }: ProxyRoute) => opened(new WebSocket(simulator.url, { agent: httpAgent })),
  wss: ({ httpsAgent }: ProxyRoute) =>
    opened(new WebSocket(`wss://mmg.whatsapp.net/ws/chat`, { agent: httpsAgent })),
  'undici by http': async ({ dispatcher }: ProxyRoute) => {
    const { statusCode, body } = await request(`http://${simulator.host}/healthz`, { dispatcher });
    await body.dump();
    return statusCode;
  },
  'fetch by https': async ({ dispatcher }: ProxyRoute) => {
    const options: RequestInit = {};
    Object.assign(options, { dispatcher });
    const response = await fetch(`https://mmg.whatsapp.net/healthz`, options);
    await response.text();
    return response.status;
  },
} as const;

async function opened(socket: WebSocket): Promise<number> {
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'open');
  socket.terminate();
  await ended;
  return 200;
}

async function failureOf(work: Promise<unknown>): Promise<ProxyError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const found = proxyErrorIn(error);
  if (found === undefined) throw new Error(`not a ProxyError: ${inspect(error)}`);
  expect(inspect(error, { showHidden: true, depth: 20 })).not.toMatch(/topsecret|customer/);
  return found;
}

async function nothingIsOpen(proxy: TestProxy): Promise<void> {
  await waitFor(() => proxy.connections === 0, { what: 'no connection to the proxy' });
}

describe.each(['http', 'socks5'] as const)('%s', (kind) => {
  test.each(Object.entries(WAYS))('%s goes through the proxy, with credentials', async (_way, use) => {
    const proxy = await proxyFor({ kind, from: FROM, credentials: CREDENTIALS });
    const route = routeTo(proxy.url());
    const since = simulator.arrivals.since(0).length;
    expect(await use(route)).toBe(200);
    expect(proxy.targets).toHaveLength(1);
    for (const { from } of simulator.arrivals.since(0).slice(since)) expect(from).toBe(FROM);
    expect(inspect(route, { showHidden: true, depth: 20 })).not.toMatch(/topsecret|customer/);
    route.close();
    await nothingIsOpen(proxy);
  });

  test.each(Object.entries(WAYS))('%s has no other way when the proxy is gone', async (_way, use) => {
    const proxy = await proxyFor({ kind });
    await proxy.stop();
    const since = simulator.arrivals.since(0).length;
    expect((await failureOf(use(routeTo(proxy.url())))).kind).toBe('unreachable');
    expect(simulator.arrivals.since(0)).toHaveLength(since);
    await proxy.start();
  });

  const faults: readonly [ProxyFault, ProxyError['kind']][] = [
    [407, kind === 'http' ? 'auth' : 'refused'],
    [403, 'refused'],
    [429, 'refused'],
    [502, 'refused'],
    ['silent', 'timeout'],
    ['rst', 'unreachable'],
    ['garbage', 'unreachable'],
  ];
  test.each(faults)('every way reports a proxy with the fault %s', async (fault, expected) => {
    const proxy = await proxyFor({ kind, fault });
    for (const [way, use] of Object.entries(WAYS)) {
      const route = routeTo(proxy.url(), fault === 'silent' ? 200 : undefined);
      expect((await failureOf(use(route))).kind, way).toBe(expected);
    }
    await nothingIsOpen(proxy);
  });

  test('wrong and missing credentials are reported', async () => {
    const proxy = await proxyFor({ kind, credentials: CREDENTIALS });
    const use = WAYS['undici by http'];
    const wrong = proxy.url({ username: 'customer', password: 'topsecret-but-old' });
    expect((await failureOf(use(routeTo(wrong)))).kind).toBe('auth');
    expect((await failureOf(use(routeTo(proxy.url({}))))).kind).toBe('auth');
    expect(proxy.targets).toEqual([]);
  });

  test('names are resolved by the proxy', async () => {
    const proxy = await proxyFor({ kind });
    const { dispatcher } = routeTo(proxy.url());
    await failureOf(request('https://whatsapp.invalid/', { dispatcher }));
    await failureOf(request('https://[2001:db8::7]:8443/', { dispatcher }));
    expect(proxy.targets[0]).toBe('whatsapp.invalid:443');
    expect(new URL(`tcp://${proxy.targets[1]}`).host).toBe(new URL('tcp://[2001:db8::7]:8443').host);
  });

  test('a server without a valid certificate is reported', async () => {
    const proxy = await proxyFor({ kind });
    const { dispatcher } = routeTo(proxy.url());
    // The certificate is not in this name.
    const failure = await failureOf(request('https://whatsapp.invalid/', { dispatcher }));
    expect(failure.kind).toBe('refused');
    await nothingIsOpen(proxy);
  });

  test('a route that is closed gives up what is being opened', async () => {
    const proxy = await proxyFor({ kind, fault: 'silent' });
    const route = routeTo(proxy.url());
    const failures = Promise.allSettled(Object.values(WAYS).map((use) => use(route)));
    await waitFor(() => proxy.connections === Object.keys(WAYS).length, { what: 'all wait' });
    route.close();
    await nothingIsOpen(proxy);
    for (const { status } of await failures) expect(status).toBe('rejected');
  });

  test('a tunnel that breaks or stands still ends with the socket', async () => {
    const proxy = await proxyFor({ kind, fault: { cutAfterMs: 300 } });
    const cut = new WebSocket(simulator.url, { agent: routeTo(proxy.url()).httpAgent });
    // On a busy machine it may not be open yet.
    cut.on('error', () => {});
    await new Promise((resolve) => cut.once('close', resolve));
    proxy.setFault({ freezeAfterMs: 0 });
    const frozen = new WebSocket(simulator.url, { agent: routeTo(proxy.url()).httpAgent });
    frozen.on('error', () => {});
    await waitFor(() => proxy.connections === 1, { what: 'a tunnel' });
    frozen.terminate();
    await nothingIsOpen(proxy);
  });
});

test('an address that is not allowed is not connected to, by name or by number', async () => {
  let arrived = 0;
  const port = await listening(() => {
    arrived += 1;
  });
  for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '0x7f.1']) {
    const proxy = EgressProxy.parse(`http://${host}:${port}`);
    const route = new ProxyRoute(proxy, { rules: AddressRules.parse('') });
    const failure = await failureOf(WAYS['undici by http'](route));
    expect(failure.kind).toBe('unreachable');
    expect(failure.message).toMatch(/does not connect to/);
  }
  expect(arrived).toBe(0);
});

test('a proxy that does not exist is unreachable', async () => {
  expect((await failureOf(WAYS['http agent'](routeTo('http://nosuch.invalid:3128')))).kind).toBe(
    'unreachable',
  );
});

test('answers of SOCKS that come byte by byte are read', async () => {
  const port = await answered(async (client) => {
    const requests = on(client, 'data');
    for (const answer of [
      [5, 0],
      [5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
    ]) {
      await requests.next();
      for (const byte of answer) {
        client.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await requests.next();
    client.end('HTTP/1.1 204 No\r\n\r\n');
  });
  const { dispatcher } = routeTo(`socks5://127.0.0.1:${port}`);
  expect((await request('http://server.example/', { dispatcher })).statusCode).toBe(204);
});

test('what a server says right behind the answer to CONNECT is not lost', async () => {
  const port = await answered(async (client) => {
    await once(client, 'data');
    client.write('HTTP/1.0 200 OK\r\n\r\n220 early');
  });
  const proxy = EgressProxy.parse(`http://127.0.0.1:${port}`);
  const { signal } = new AbortController();
  const target = { host: 'server.example', port: 80 };
  const socket = await openTunnel(target, { proxy, rules, signal, timeoutMs: 5_000 });
  const [said]: unknown[] = await once(socket, 'data');
  expect(String(said)).toBe('220 early');
});

test('an endless answer to CONNECT is refused', async () => {
  const port = await answered(async (client) => {
    await once(client, 'data');
    client.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(100_000)}`);
  });
  expect((await failureOf(WAYS['http agent'](routeTo(`http://127.0.0.1:${port}`)))).kind).toBe('unreachable');
});

test.each([
  ['a space', 'a b'],
  ['a letter that is not ASCII', 'ä'],
  ['too many letters', 'a'.repeat(254)],
])('a server whose name has %s is not asked for', async (_what, host) => {
  const proxy = await proxyFor({ kind: 'socks5' });
  const asked = httpGet({ host, port: 80, agent: routeTo(proxy.url()).httpAgent, setHost: false });
  const [failure]: unknown[] = await once(asked, 'error');
  expect(proxyErrorIn(failure)?.kind).toBe('refused');
  expect(proxy.connections).toBe(0);
});

test('an https proxy is reached by TLS, and must have a valid certificate', async () => {
  const proxy = await proxyFor({ kind: 'http', from: FROM, credentials: CREDENTIALS });
  const own = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  const front = createTlsServer({ key: own.private, cert: own.cert }, (client) => {
    const inner = connect(proxy.port, '127.0.0.1');
    client.on('error', () => inner.destroy());
    inner.on('error', () => client.destroy());
    client.pipe(inner).pipe(client);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  onTestFinished(() => void front.close());
  const { port } = front.address() as AddressInfo;
  const address = EgressProxy.parse(
    proxy
      .url()
      .replace('http:', 'https:')
      .replace(/127.0.0.1:\d+/, `localhost:${port}`),
  );
  const allowed = AddressRules.parse('127.0.0.1,::1');
  const trusting = new ProxyRoute(address, { rules: allowed, ca: `${own.cert}\n${ca}` });
  const strict = new ProxyRoute(address, { rules: allowed });
  onTestFinished(() => trusting.close());
  for (const [way, use] of Object.entries(WAYS)) expect(await use(trusting), way).toBe(200);
  expect((await failureOf(WAYS['undici by http'](strict))).kind).toBe('unreachable');
});

async function listening(onConnection: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The port of a server that answers each connection by this script. */
function answered(script: (client: Socket) => Promise<void>): Promise<number> {
  return listening((client) => void script(client).catch(() => {}));
}
