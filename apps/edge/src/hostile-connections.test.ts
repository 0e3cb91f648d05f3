import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { heldConnections, waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sendRequest } from './testing/raw-request.js';
import { TestCluster } from './testing/test-cluster.js';
import type { TestEdge } from './testing/test-edge.js';

let cluster: TestCluster;
let edge: TestEdge;
const clients: Socket[] = [];
const uncaught: unknown[] = [];
const onUncaught = (error: unknown) => uncaught.push(error);

beforeAll(async () => {
  process.on('uncaughtException', onUncaught);
  cluster = await TestCluster.start();
  edge = await cluster.startEdge({ connectionTimeouts: { headersMs: 500, requestMs: 1_000 } });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  expect(uncaught.splice(0)).toEqual([]);
});
afterAll(async () => {
  await cluster.stop();
  process.off('uncaughtException', onUncaught);
});

/** A client that sends these bytes, reads what comes, and never closes its own side. */
function open(url: string, bytes: string | Buffer): Socket {
  const { hostname, port } = new URL(url);
  const client = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  client.on('error', () => {});
  client.resume();
  client.write(bytes);
  clients.push(client);
  return client;
}

function upgrade(path: string, more = ''): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: edge',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    `\r\n${more}`,
  ].join('\r\n');
}

const SOCKET_IO = '/socket.io/?EIO=4&transport=websocket';
const OF_ANOTHER_EDGE = `${SOCKET_IO}&sid=edge_0123456789ab.AAAAAAAAAAAAAAAAAAAA`;
const POST = 'POST /api/sessions HTTP/1.1\r\nHost: edge\r\ncontent-type: application/json\r\n';

/** A frame of a WebSocket client, with a mask that leaves the payload unchanged. */
function frame(opcode: number, text: string): Buffer {
  const body = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | body.length, 0, 0, 0, 0]), body]);
}

const [TEXT, PING, PONG] = [1, 9, 10];
const CLOSE_FRAME = String.fromCharCode(0x88);
/** A text with the form of an API key. */
const KEY = `wf_${'k'.repeat(43)}`;

/** A CONNECT to this unknown namespace is answered with its name. */
const LAST = '40/last,';

/**
 * Opens a WebSocket, sends frames over it once it is open, and asks for an unknown namespace. Resolves to everything
 * that arrived up to the answer, or up to the edge's close frame.
 */
async function answersTo(...frames: Buffer[]): Promise<string> {
  const { send, came } = openWebSocket(SOCKET_IO);
  await waitFor(() => came().includes('"sid"'), { what: 'the connection is open' });
  send(...frames, frame(TEXT, LAST));
  await waitFor(() => came().includes('44/last,') || came().includes(CLOSE_FRAME), { what: 'the answer' });
  return came();
}

function openWebSocket(path: string) {
  const client = open(edge.url, upgrade(path));
  let bytes = Buffer.alloc(0);
  client.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
  });
  const send = (...frames: Buffer[]) => client.write(Buffer.concat(frames));
  return { send, came: () => bytes.toString('latin1') };
}

async function newPolling() {
  const url = `${edge.url}/socket.io/?EIO=4&transport=polling`;
  const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1));
  const poll = async () => (await fetch(`${url}&sid=${sid}`)).text();
  const post = async (body: string) => (await fetch(`${url}&sid=${sid}`, { method: 'POST', body })).text();
  return { sid, poll, post };
}

/** The connections that the edge holds. */
function held({ url }: TestEdge = edge): number {
  return heldConnections(Number(new URL(url).port));
}

async function expectServed(): Promise<void> {
  expect(await sendRequest(edge.url, 'GET /healthz')).toMatchObject({ status: 200 });
}

/** An edge at which the test's address has no handshakes left. */
async function edgeOverLimit(): Promise<TestEdge> {
  const over = await cluster.startEdge({ clientLimits: { handshakesPerAddress: 0.1 } });
  expect(await sendRequest(over.url, 'GET /api/sessions', { key: 'wrong' })).toMatchObject({ status: 401 });
  return over;
}

describe('a reset', () => {
  it('after a refused upgrade ends nothing', async () => {
    const over = await edgeOverLimit();
    for (let round = 0; round < 40; round += 1) {
      const client = open(over.url, upgrade(SOCKET_IO));
      await new Promise((resolve) => client.once('data', resolve));
      client.resetAndDestroy();
    }
    expect(await sendRequest(over.url, 'GET /healthz')).toMatchObject({ status: 200 });
  });

  it.each([
    ['an upgrade', upgrade(SOCKET_IO)],
    ['an upgrade with frames', upgrade(SOCKET_IO, 'x'.repeat(2_000))],
    ['an upgrade of a session of another edge', upgrade(OF_ANOTHER_EDGE)],
    ['an upgrade of an unknown session', upgrade(`${SOCKET_IO}&sid=unknown`)],
    ['an upgrade of an unknown path', upgrade('/foo')],
    ['an upgrade to another protocol', upgrade('/healthz').replace('websocket', 'h2c')],
    ['a CONNECT', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n'],
    ['a poll', 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: edge\r\n\r\n'],
    ['a request that asks to continue', `${POST}content-length: 5\r\nexpect: 100-continue\r\n\r\n{}`],
    ['an expectation that is unknown', `${POST}content-length: 5\r\nexpect: nothing\r\n\r\n{}`],
    ['requests in a pipeline', 'GET /healthz HTTP/1.1\r\nHost: edge\r\n\r\n'.repeat(50)],
    ['what is not HTTP', 'nothing that is HTTP\r\n\r\n'],
    ['bytes', randomBytes(3_000)],
  ])('at any moment of %s ends nothing', async (_what, bytes) => {
    const all = Buffer.from(bytes);
    for (let round = 0; round < 60; round += 1) {
      const end = round % 3 === 0 ? all.length : Math.floor((round / 60) * all.length);
      const client = open(edge.url, all.subarray(0, end));
      const reset = () => client.resetAndDestroy();
      client.once('connect', () => {
        if (round % 4 === 0) reset();
        else if (round % 4 === 1) setImmediate(reset);
        else if (round % 4 === 2) setTimeout(reset, round / 10);
      });
      client.once('data', reset);
    }
    for (const client of clients) {
      if (!client.destroyed) setImmediate(() => client.resetAndDestroy());
    }
    await waitFor(() => clients.every(({ closed }) => closed), { what: 'all are gone' });
    await expectServed();
  });
});

describe('a connection', () => {
  it.each([
    ['that sends nothing', ''],
    ['that sends half a request line', 'GET /heal'],
    ['that sends half of the headers', 'GET /healthz HTTP/1.1\r\nHost: edge\r\nX-A'],
    ['that sends half of a body', `${POST}content-length: 500\r\n\r\n{"id":`],
    ['that sends half of a body in chunks', `${POST}transfer-encoding: chunked\r\n\r\nff\r\nx`],
    ['that sends what is not HTTP', 'nothing that is HTTP\r\n\r\n'],
    ['that sends 2 KB and an upgrade of an unknown path', upgrade('/foo', 'x'.repeat(2_000))],
    ['with an upgrade to another protocol', upgrade('/healthz').replace('websocket', 'h2c')],
    ['with an upgrade of a session of another edge', upgrade(OF_ANOTHER_EDGE, 'x'.repeat(2_000))],
    ['with an upgrade of an unknown session', upgrade(`${SOCKET_IO}&sid=unknown`, 'x'.repeat(2_000))],
    ['with an upgrade of another version', upgrade('/socket.io/?EIO=3&transport=websocket')],
    ['with an upgrade without a key', upgrade(SOCKET_IO).replace(/Sec-WebSocket-Key.*\r\n/, '')],
    ['with a CONNECT', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n'],
  ])('%s is given back, even if the client never closes it', async (_what, bytes) => {
    for (let count = 0; count < 50; count += 1) open(edge.url, bytes);
    await waitFor(() => clients.every(({ connecting }) => !connecting), { what: 'all are connected' });
    await expectServed();
    // The health check of the test keeps one or two alive.
    await waitFor(() => held() <= 2, { what: 'the edge has closed its descriptors' });
    await expectServed();
  });

  it('whose upgrade is refused because of a limit is given back', async () => {
    const over = await edgeOverLimit();
    for (let count = 0; count < 50; count += 1) open(over.url, upgrade(SOCKET_IO, 'x'.repeat(2_000)));
    await waitFor(() => clients.every(({ connecting }) => !connecting), { what: 'all are connected' });
    await waitFor(() => held(over) <= 2, { what: 'the edge has closed its descriptors' });
  });

  // 15 s to join, and then 30 s in which the WebSocket waits for the client to close its side.
  it('that opens Engine.IO and never joins a namespace is given back', { timeout: 150_000 }, async () => {
    for (let count = 0; count < 50; count += 1) open(edge.url, upgrade(SOCKET_IO));
    await waitFor(() => held() >= 50, { what: 'all are open' });
    await waitFor(() => held() <= 2, { what: 'the edge has closed its descriptors', timeoutMs: 120_000 });
    await expectServed();
  });

  it('with an upgrade of an unknown path gets a 404', async () => {
    const client = open(edge.url, upgrade('/foo'));
    let text = '';
    client.on('data', (chunk) => {
      text += chunk.toString();
    });
    await new Promise((resolve) => client.once('end', resolve));
    expect(text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect(text).toContain('"code":"ROUTE_NOT_FOUND"');
  });

  it('that sends its request too slowly gets a 408', async () => {
    const client = open(edge.url, 'GET /healthz HTTP/1.1\r\nHost: edge\r\nX-A');
    let text = '';
    client.on('data', (chunk) => {
      text += chunk.toString();
    });
    await new Promise((resolve) => client.once('end', resolve));
    expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(text).toContain('"code":"REQUEST_TIMEOUT"');
  });
});

describe('what a client sent is not sent back', () => {
  const withKey = `{"token":"${KEY}"}`;

  it.each([
    ['a ping frame', frame(PING, `40/api/events,${withKey}`)],
    ['a CONNECT without the comma', frame(TEXT, `40/api/events${withKey}`)],
    ['a CONNECT to a namespace with the key in its name', frame(TEXT, `40/api/events?token=${KEY},`)],
    ['a ping packet', frame(TEXT, `2${withKey}`)],
    ['a pong packet', frame(TEXT, `3${withKey}`)],
    ['an open packet', frame(TEXT, `0${withKey}`)],
    ['an unknown packet', frame(TEXT, `9${withKey}`)],
    ['an event with a damaged type', frame(TEXT, `49${withKey}`)],
    ['an acknowledgement', frame(TEXT, `43["${KEY}"]`)],
  ])('over a WebSocket: %s that holds an API key', async (_what, bytes) => {
    expect(await answersTo(bytes)).not.toContain('wf_');
  });

  it.each([
    ['a CONNECT without the comma', `40/api/events${withKey}`],
    ['a CONNECT to a namespace with the key in its name', `40/api/events?token=${KEY},`],
    ['a ping packet', `2${withKey}`],
    ['a pong packet', `3${withKey}`],
    ['an unknown packet', `9${withKey}`],
  ])('over polling: %s that holds an API key', async (_what, packet) => {
    const { poll, post } = await newPolling();
    const answers = [await post(packet), await post(LAST), await poll()];
    expect(answers.join()).not.toContain('wf_');
  });

  it('while a WebSocket is probed for an upgrade', async () => {
    const { sid } = await newPolling();
    for (const bytes of [frame(PING, `40${withKey}`), frame(TEXT, `2${withKey}`)]) {
      const { send, came } = openWebSocket(`${SOCKET_IO}&sid=${sid}`);
      send(bytes, frame(TEXT, '9'));
      await waitFor(() => came().includes(CLOSE_FRAME), { what: 'the close frame' });
      expect(came()).not.toContain('wf_');
    }
  });
});

describe('what the protocols need is sent back', () => {
  it('the data of a short ping', async () => {
    expect(await answersTo(frame(PING, 'x'.repeat(32)))).toContain(
      `${String.fromCharCode(0x80 | PONG, 32)}${'x'.repeat(32)}`,
    );
  });

  it('the probe of an upgrade', async () => {
    const { sid } = await newPolling();
    const { send, came } = openWebSocket(`${SOCKET_IO}&sid=${sid}`);
    send(frame(TEXT, '2probe'));
    await waitFor(() => came().includes('3probe'), { what: 'the answer to the probe' });
    send(frame(TEXT, '5'), frame(TEXT, LAST));
    await waitFor(() => came().includes('44/last,'), { what: 'an answer over the new transport' });
  });

  it('the name of an unknown namespace', async () => {
    expect(await answersTo(frame(TEXT, '40/api/evnts,'))).toContain(
      '44/api/evnts,{"message":"Invalid namespace"}',
    );
  });
});
