import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { waitFor } from '@wafleet/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { AddressRules } from '../address-rules.js';
import { type Answer, answering, webServerForTest } from '../testing/index.js';
import { PublicHttp } from './public-http.js';
import type { PublicHttpErrorKind } from './public-http-error.js';
import type { RequestTimes } from './request-clock.js';

const MAX_BYTES = 10_000;

function clientForTest(rules = AddressRules.parse('127.0.0.1')): PublicHttp {
  const http = new PublicHttp({ rules });
  onTestFinished(() => http.close());
  return http;
}

function sending(bytes: string): Answer {
  return (socket) => socket.write(bytes);
}

function ending(bytes: string): Answer {
  return (socket) => socket.end(bytes);
}

/** Writes again whenever there is room, for as long as the client is there. */
function repeating(head: string, bytes: string | Uint8Array): Answer {
  return (socket) => {
    socket.write(head);
    const go = () => {
      if (socket.destroyed) return;
      if (socket.write(bytes)) setImmediate(go);
      else socket.once('drain', go);
    };
    go();
  };
}

/** A byte each few milliseconds. */
function dripping(head: string, byte: string): Answer {
  return (socket) => {
    socket.write(head);
    const timer = setInterval(() => socket.write(byte), 2);
    socket.on('close', () => clearInterval(timer));
  };
}

function reset(socket: Socket, bytes = ''): void {
  socket.write(bytes, () => socket.resetAndDestroy());
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server with a port has such an address.
  return (server.address() as AddressInfo).port;
}

const OK = 'HTTP/1.1 200 OK\r\n';
const bomb = Buffer.alloc(16 * 1024 * 1024);

/** What a server does, the error, and the time limit that is small for it. */
const SERVERS: Record<string, readonly [Answer, PublicHttpErrorKind, Partial<RequestTimes>?]> = {
  'says nothing': [() => {}, 'timeout', { headersMs: 30 }],
  'stops in the head': [sending(`${OK}content-len`), 'timeout', { headersMs: 30 }],
  'drips headers': [dripping(OK, 'x'), 'timeout', { headersMs: 100 }],
  'sends interim answers without end': [
    repeating('', 'HTTP/1.1 102 Processing\r\n\r\n'),
    'timeout',
    { headersMs: 100 },
  ],
  'stops in the body': [sending(`${OK}content-length: 5\r\n\r\nhel`), 'timeout', { idleMs: 30 }],
  'sends no body': [sending(`${OK}content-length: 5\r\n\r\n`), 'timeout', { idleMs: 30 }],
  'drips a body': [dripping(`${OK}\r\n`, 'x'), 'timeout', { totalMs: 200 }],
  'drips empty gzip members': [repeating(`${OK}content-encoding: gzip\r\n\r\n`, gzipSync('')), 'too-large'],
  'sends without end': [repeating(`${OK}\r\n`, Buffer.alloc(1_000)), 'too-large'],
  'sends chunks without end': [
    repeating(`${OK}transfer-encoding: chunked\r\n\r\n`, `3e8\r\n${'x'.repeat(1_000)}\r\n`),
    'too-large',
  ],
  'announces too much, and sends none of it': [sending(`${OK}content-length: 10001\r\n\r\n`), 'too-large'],
  'announces more than a number holds': [
    sending(`${OK}content-length: 99999999999999999999999\r\n\r\n`),
    'bad-answer',
  ],
  'sends a gzip bomb': [
    answering(gzipSync(bomb).subarray(0, MAX_BYTES), { 'content-encoding': 'gzip' }),
    'too-large',
  ],
  'sends a brotli bomb': [answering(brotliCompressSync(bomb), { 'content-encoding': 'br' }), 'too-large'],
  'sends a text as gzip': [answering('hello', { 'content-encoding': 'gzip' }), 'bad-answer'],
  'breaks off in the gzip': [
    answering(gzipSync('hello').subarray(0, 15), { 'content-encoding': 'gzip' }),
    'bad-answer',
  ],
  'encodes twice': [answering('hello', { 'content-encoding': 'gzip, gzip' }), 'bad-answer'],
  'encodes in its own way': [answering('hello', { 'content-encoding': 'wafleet' }), 'bad-answer'],
  'sends less than it said': [ending(`${OK}content-length: 5\r\n\r\nhel`), 'bad-answer'],
  'ends in the chunks': [ending(`${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`), 'bad-answer'],
  'sends wrong chunks': [ending(`${OK}transfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n`), 'bad-answer'],
  'has two lengths': [ending(`${OK}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!`), 'bad-answer'],
  'has a length and chunks': [
    ending(`${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
    'bad-answer',
  ],
  'speaks HTTP/0.9': [ending('<html>hello</html>'), 'bad-answer'],
  'speaks another protocol': [ending('220 mail.example ESMTP\r\n'), 'bad-answer'],
  'speaks HTTP/2': [ending('HTTP/2 200 OK\r\n\r\n'), 'bad-answer'],
  'switches protocols': [
    sending('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: a\r\n\r\n'),
    'bad-answer',
  ],
  'has long headers': [ending(`${OK}x: ${'y'.repeat(20_000)}\r\n\r\n`), 'bad-answer'],
  'has headers without end': [repeating(OK, 'x: y\r\n'), 'bad-answer'],
  'closes at once': [(socket) => socket.end(), 'bad-answer'],
  'resets at once': [reset, 'bad-answer'],
  'resets in the head': [(socket) => reset(socket, OK), 'bad-answer'],
  'resets in the body': [(socket) => reset(socket, `${OK}content-length: 5\r\n\r\nhel`), 'bad-answer'],
};

test.each(Object.entries(SERVERS))('a server that %s', async (_name, [answer, kind, times]) => {
  const server = await webServerForTest(answer);
  const fetching = clientForTest()
    .get(`${server.url}?token=topsecret`, { maxBytes: MAX_BYTES, times })
    .then(({ body }) => buffer(body));
  await expect(fetching).rejects.toMatchObject({ name: 'PublicHttpError', kind });
  await expect(fetching).rejects.not.toThrow(/topsecret|127\.0/);
  await server.isLeft();
  expect(server.heads).toHaveLength(1);
});

test('a server that resets in a body without a length', async () => {
  let sender: Socket | undefined;
  const server = await webServerForTest((socket) => {
    sender = socket;
    socket.write(`${OK}\r\nhel`);
  });
  const { body } = await clientForTest().get(server.url, { maxBytes: MAX_BYTES });
  // What is reset together with its last bytes is an end for Node.js.
  body.once('data', () => sender?.resetAndDestroy());
  await expect(buffer(body)).rejects.toMatchObject({ kind: 'bad-answer' });
  await server.isLeft();
});

test('a server without TLS is not spoken to by https', async () => {
  const server = createServer((socket) =>
    socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  );
  onTestFinished(() => void server.close());
  const fetching = clientForTest().get(`https://127.0.0.1:${await portOf(server)}/`, { maxBytes: MAX_BYTES });
  await expect(fetching).rejects.toMatchObject({ kind: 'no-tls' });
});

test('a server that does not answer TLS ends with the time to connect', async () => {
  const opened: Socket[] = [];
  const server = createServer((socket) => void opened.push(socket.resume()));
  onTestFinished(() => void server.close());
  const options = { maxBytes: MAX_BYTES, times: { connectMs: 50 } };
  const fetching = clientForTest().get(`https://127.0.0.1:${await portOf(server)}/`, options);
  await expect(fetching).rejects.toMatchObject({ kind: 'timeout' });
  await waitFor(() => opened.every(({ closed }) => closed), { what: 'the client has left' });
});

test('what is not there cannot be reached', async () => {
  const server = createServer();
  const port = await portOf(server);
  await new Promise((resolve) => server.close(resolve));
  const fetching = clientForTest().get(`http://127.0.0.1:${port}/`, { maxBytes: MAX_BYTES });
  await expect(fetching).rejects.toMatchObject({ kind: 'unreachable' });
});

test('name servers that do not answer end with the time to connect', async () => {
  const http = new PublicHttp({
    rules: AddressRules.parse(''),
    lookup: (_name, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  });
  const options = { maxBytes: MAX_BYTES, times: { connectMs: 20 } };
  await expect(http.get('http://a.example/', options)).rejects.toMatchObject({ kind: 'timeout' });
});

test.each([
  ...['http://127.0.0.1/', 'http://127.1/', 'http://2130706433/', 'http://0x7f000001/', 'http://0177.0.0.1/'],
  ...['http://0x7f.1/', 'http://①②⑦.⓪.⓪.①/', 'http://127.0.0.1./', 'http://127。0。0。1/', 'http://0/'],
  ...[
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:a00:1]/',
    'http:127.0.0.1',
  ],
  ...['http://[64:ff9b::10.0.0.1]/', 'http://[2002:a00:1::]/', 'http://[fe80::1]/', 'http://[fc00::1]/'],
  ...[
    'http://10.0.0.1/',
    'http://100.64.0.1/',
    'http://169.254.169.254/',
    'http://192.168.1.1/',
    'HTTP:\\\\10.1',
  ],
  ...['https://172.16.0.1/', 'http://224.0.0.1/', 'http://255.255.255.255/', 'http://%31%30.0.0.1/'],
])('the address of %s is refused', async (url) => {
  const http = clientForTest(AddressRules.parse(''));
  await expect(http.get(url, { maxBytes: MAX_BYTES })).rejects.toMatchObject({ kind: 'address-refused' });
});

test.each([
  ...['', 'a', '/a', '//127.0.0.1/', 'ftp://127.0.0.1/', 'file:///etc/passwd', 'data:text/plain,a'],
  ...['javascript:alert(1)', 'ws://127.0.0.1/', 'blob:http://127.0.0.1/a', 'http://', 'http://127.0.0.1:0/'],
  ...[
    'http://user@127.0.0.1/',
    'http://:password@127.0.0.1/',
    'http://127.0.0.1:22/',
    'http://127.0.0.1:65536/',
  ],
  ...[
    'http://127.0.0.1:6667/',
    'http://127.0.0.256/',
    'http://[::1',
    'http://[fe80::1%25eth0]/',
    'http://a b/',
  ],
  ...['http://127.0.0.1/\r\nX: y', 'http://127.0.0.1/\t', ' http://127.0.0.1/', 'http://127.0.0.1/\u0000'],
  ...[`http://127.0.0.1/${'a'.repeat(8_192)}`, 'http://ex%00ample/', 'http://a#@127.0.0.1:25/x y'],
])('%j is not fetched', async (url) => {
  await expect(clientForTest().get(url, { maxBytes: MAX_BYTES })).rejects.toMatchObject({ kind: 'bad-url' });
});
