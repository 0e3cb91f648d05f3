import { once } from 'node:events';
import type { Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { waitFor } from '@wafleet/testkit';
import { generate } from 'selfsigned';
import { expect, onTestFinished, test } from 'vitest';
import { AddressRules } from '../address-rules.js';
import { answering, webServerForTest } from '../testing/index.js';
import { PublicHttp, type PublicHttpOptions } from './public-http.js';
import { RequestClock } from './request-clock.js';

const RULES = AddressRules.parse('127.0.0.1');
const LIMIT = { maxBytes: 1_000 };

function clientForTest(options: Partial<PublicHttpOptions> = {}): PublicHttp {
  const http = new PublicHttp({ rules: RULES, ...options });
  onTestFinished(() => http.close());
  return http;
}

function certificateOf(name: string) {
  const altNames = [{ type: 2 as const, value: name }];
  const options = { extensions: [{ name: 'subjectAltName' as const, altNames }] };
  return generate([{ name: 'commonName', value: name }], options);
}

function redirecting(location: string, status = 302) {
  return answering('moved', { location }, status);
}

test('a file is fetched, and the connection is closed', async () => {
  const server = await webServerForTest(answering('hello', { 'content-type': 'text/plain' }));
  const { body, headers, ...answer } = await clientForTest().get(`${server.url}a?b=c#d`, LIMIT);
  expect(await text(body)).toBe('hello');
  expect(answer).toEqual({
    ...{ status: 200, url: `${server.url}a?b=c`, contentType: 'text/plain', length: 5 },
  });
  expect(headers['content-length']).toBe('5');
  await server.isLeft();
  const [head] = server.heads;
  expect(head).toMatch(/^GET \/a\?b=c HTTP\/1\.1\r\n/);
  expect(head).toContain(`host: 127.0.0.1:${server.port}\r\n`);
  expect(head).toContain('accept-encoding: identity\r\n');
  expect(head).toContain('Connection: close\r\n');
});

test('a request has a method, headers and a body, and any status is an answer', async () => {
  let received = '';
  const server = await webServerForTest((socket, head) => {
    received = head;
    socket.on('data', (bytes) => {
      received += bytes;
    });
    if (!received.endsWith('{}')) socket.once('data', () => answering('no', {}, 418)(socket, head));
    else answering('no', {}, 418)(socket, head);
  });
  const { status, body } = await clientForTest().request(server.url, {
    ...{ ...LIMIT, method: 'POST', body: '{}' },
    headers: { 'x-signature': 'abc', 'user-agent': 'Hooks' },
  });
  expect([status, await text(body)]).toEqual([418, 'no']);
  expect(received).toMatch(/^POST \/ /);
  expect(received).toContain('x-signature: abc\r\n');
  expect(received).toContain('user-agent: Hooks\r\n');
  expect(received).toMatch(/Content-Length: 2\r\n.*\{\}$/s);
});

test.each([204, 206, 304, 400, 404, 500])('a file with the status %i is an error', async (status) => {
  const server = await webServerForTest(answering('', {}, status));
  const error = { kind: 'http-status', status };
  await expect(clientForTest().get(server.url, LIMIT)).rejects.toMatchObject(error);
  await server.isLeft();
});

test('a name is resolved once, and its server gets the name', async () => {
  const server = await webServerForTest(answering('hello'));
  const asked: string[] = [];
  const http = clientForTest({
    lookup: async (name) => {
      asked.push(name);
      // Later answers lead elsewhere: DNS rebinding.
      return asked.length === 1 ? ['127.0.0.1'] : ['10.0.0.1'];
    },
  });
  const { body } = await http.get(`http://files.example:${server.port}/`, LIMIT);
  expect(await text(body)).toBe('hello');
  expect(asked).toEqual(['files.example']);
  expect(server.heads[0]).toContain(`host: files.example:${server.port}\r\n`);
});

test('of several addresses only the allowed ones are dialled', async () => {
  const server = await webServerForTest(answering('hello'));
  const http = clientForTest({ lookup: async () => ['10.0.0.1', '::1', '169.254.169.254', '127.0.0.1'] });
  const { body } = await http.get(`http://files.example:${server.port}/`, LIMIT);
  expect(await text(body)).toBe('hello');
});

test('addresses are tried one after the other, with TLS too', async () => {
  const { private: key, cert } = await certificateOf('a.example');
  const http = clientForTest({
    ...{ ca: cert, rules: AddressRules.parse('127.0.0.0/8') },
    lookup: async () => ['127.0.0.3', '127.0.0.2', '127.0.0.1'],
  });
  const plain = await webServerForTest(answering('hello'));
  const secure = await webServerForTest(answering('hello'), { key, cert });
  for (const url of [`http://a.example:${plain.port}/`, `https://a.example:${secure.port}/`]) {
    expect(await text((await http.get(url, LIMIT)).body)).toBe('hello');
  }
});

test.each([
  ['10.0.0.1'],
  ['::ffff:127.0.0.1'],
  ['64:ff9b::7f00:1'],
  ['2002:7f00:1::1'],
  ['fe80::1', '0.0.0.0'],
])('a name that leads to %s is refused', async (...addresses) => {
  const http = clientForTest({ lookup: async () => addresses });
  await expect(http.get('http://files.example/', LIMIT)).rejects.toMatchObject({ kind: 'address-refused' });
});

test('a name without addresses cannot be resolved', async () => {
  const expected = { kind: 'unresolvable' };
  for (const lookup of [async () => [], () => Promise.reject(new Error('SERVFAIL'))]) {
    await expect(clientForTest({ lookup }).get('http://a.example/', LIMIT)).rejects.toMatchObject(expected);
  }
  // Without a network there is no DNS server, and with one there is no such name.
  await expect(clientForTest().get('http://a.invalid/', LIMIT)).rejects.toMatchObject(expected);
});

test('localhost is the own machine, and no DNS server is asked', async () => {
  const server = await webServerForTest(answering('hello'));
  const lookup = () => Promise.reject(new Error('asked'));
  const { body } = await clientForTest({ lookup }).get(`http://localhost:${server.port}/`, LIMIT);
  expect(await text(body)).toBe('hello');
  const rules = AddressRules.parse('');
  for (const name of ['localhost', 'localhost.', 'a.localhost', 'LOCALHOST']) {
    const fetching = clientForTest({ lookup, rules }).get(`http://${name}:${server.port}/`, LIMIT);
    await expect(fetching).rejects.toMatchObject({ kind: 'address-refused' });
  }
  expect(server.heads).toHaveLength(1);
});

test('redirects are followed, also relative ones', async () => {
  const last = await webServerForTest(answering('hello'));
  const first = await webServerForTest((socket, head) => {
    const isFirst = head.startsWith('GET / ');
    redirecting(isFirst ? '/b?c=d' : last.url, isFirst ? 301 : 307)(socket, head);
  });
  const headers = { 'x-secret': 'abc', 'user-agent': 'Reader' };
  const { body, url } = await clientForTest().get(first.url, { ...LIMIT, headers });
  expect([await text(body), url]).toEqual(['hello', last.url]);
  await first.isLeft();
  // Another server does not get what was meant for the first one.
  expect(first.heads.map((head) => head.includes('x-secret: abc'))).toEqual([true, true]);
  expect(last.heads.map((head) => head.includes('x-secret'))).toEqual([false]);
  expect(last.heads[0]).toContain('user-agent: Reader\r\n');
});

test.each([
  ['http://169.254.169.254/latest/meta-data/', 'address-refused'],
  ['http://[::ffff:10.0.0.1]/', 'address-refused'],
  ['//10.0.0.1/', 'address-refused'],
  ['http://2130706434/', 'address-refused'],
  ['file:///etc/passwd', 'bad-redirect'],
  ['gopher://127.0.0.1/', 'bad-redirect'],
  ['http://user:password@127.0.0.1/', 'bad-redirect'],
  ['http://127.0.0.1:25/', 'bad-redirect'],
  ['http://', 'bad-redirect'],
  ['http://a b/', 'bad-redirect'],
])('a redirect to %s is not followed: %s', async (location, kind) => {
  const server = await webServerForTest(redirecting(location));
  await expect(clientForTest().get(server.url, LIMIT)).rejects.toMatchObject({ kind });
  await server.isLeft();
});

test('redirects are bounded, and a POST follows none', async () => {
  const server = await webServerForTest(redirecting('/again'));
  const http = clientForTest();
  await expect(http.get(server.url, LIMIT)).rejects.toMatchObject({ kind: 'too-many-redirects' });
  expect(server.heads).toHaveLength(6);
  await expect(http.get(server.url, { ...LIMIT, maxRedirects: 0 })).rejects.toMatchObject({ status: 302 });
  const { status, body } = await http.request(server.url, { ...LIMIT, method: 'POST' });
  body.destroy();
  expect(status).toBe(302);
  expect(server.heads).toHaveLength(8);
});

test('TLS needs a certificate of the name, and does not lead to http', async () => {
  const { private: key, cert } = await certificateOf('a.example');
  const plain = await webServerForTest(answering('hello'));
  const server = await webServerForTest(
    (socket, head) => {
      (head.includes('/plain') ? redirecting(plain.url) : answering('hello'))(socket, head);
    },
    { key, cert },
  );
  const http = clientForTest({ ca: cert, lookup: async () => ['127.0.0.1'] });
  const { body } = await http.get(`https://a.example:${server.port}/`, LIMIT);
  expect(await text(body)).toBe('hello');
  const failures = [
    [http, `https://a.example:${server.port}/plain`, 'bad-redirect'],
    [http, `https://b.example:${server.port}/`, 'no-tls'],
    [http, server.url, 'no-tls'],
    [clientForTest(), server.url, 'no-tls'],
  ] as const;
  for (const [client, url, kind] of failures) {
    await expect(client.get(url, LIMIT), url).rejects.toMatchObject({ kind });
  }
  await Promise.all([server.isLeft(), plain.isLeft()]);
});

test.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  [' GZIP', gzipSync],
])('a server may answer with %j, though it was not asked to', async (encoding, compress) => {
  const server = await webServerForTest(answering(compress('hello'), { 'content-encoding': encoding }));
  const { body, length } = await clientForTest().get(server.url, LIMIT);
  expect([await text(body), length]).toEqual(['hello', undefined]);
});

test('a body is no longer than it may be, to the byte', async () => {
  const server = await webServerForTest(answering(Buffer.alloc(1_000)));
  const { body } = await clientForTest().get(server.url, LIMIT);
  expect((await buffer(body)).length).toBe(1_000);
});

test('a body is sent as fast as it is read', async () => {
  const bytes = 32 * 1024 * 1024;
  let sender: Socket | undefined;
  const server = await webServerForTest((socket) => {
    sender = socket;
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${bytes}\r\n\r\n`);
    socket.end(Buffer.alloc(bytes));
  });
  const { body } = await clientForTest().get(server.url, { maxBytes: bytes });
  await waitFor(() => body.readableLength > 0, { what: 'the first bytes' });
  expect(sender?.writableLength).toBeGreaterThan(bytes / 2);
  let read = 0;
  for await (const chunk of body) read += chunk.length;
  expect(read).toBe(bytes);
});

test('the limit of a step begins again while the server is not what it waits for', async () => {
  const clock = new RequestClock(60_000, []);
  onTestFinished(() => clock.stop());
  let passed = 0;
  clock.startStep(1, () => {
    passed += 1;
    return passed > 3;
  });
  await once(clock.signal, 'abort');
  expect(passed).toBe(4);
  expect(clock.signal.reason).toMatchObject({ kind: 'timeout' });
});

test('a signal ends a request at every step', async () => {
  const reason = new Error('given up');
  const http = clientForTest({
    lookup: (_name, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  });
  await expect(http.get('http://a.example/', { ...LIMIT, signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  );

  const resolving = new AbortController();
  const looked = http.get('http://a.example/', { ...LIMIT, signal: resolving.signal });
  resolving.abort(reason);
  await expect(looked).rejects.toBe(reason);

  const waiting = new AbortController();
  const silent = await webServerForTest(() => waiting.abort(reason));
  await expect(http.get(silent.url, { ...LIMIT, signal: waiting.signal })).rejects.toBe(reason);
  await silent.isLeft();

  const reading = new AbortController();
  const slow = await webServerForTest((socket) =>
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello'),
  );
  const { body } = await http.get(slow.url, { ...LIMIT, signal: reading.signal });
  body.once('data', () => reading.abort(reason));
  await expect(text(body)).rejects.toBe(reason);
  await slow.isLeft();
});

test('a reader may come after the body has failed', async () => {
  const server = await webServerForTest((socket) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello'),
  );
  const { body } = await clientForTest().get(server.url, LIMIT);
  await waitFor(() => body.destroyed, { what: 'the body has failed' });
  await expect(text(body)).rejects.toMatchObject({ kind: 'bad-answer' });
});

test('a reader may leave, and the client may be closed', async () => {
  const server = await webServerForTest((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nhello'));
  const http = clientForTest();
  const first = await http.get(server.url, LIMIT);
  first.body.destroy();
  await server.isLeft();
  const own = new Error('full');
  const second = await http.get(server.url, LIMIT);
  second.body.once('data', () => second.body.destroy(own));
  await expect(text(second.body)).rejects.toBe(own);
  await server.isLeft();
  const third = await http.get(server.url, LIMIT);
  http.close();
  await expect(text(third.body)).rejects.toMatchObject({ kind: 'unreachable' });
  await expect(http.get(server.url, LIMIT)).rejects.toMatchObject({ kind: 'unreachable' });
  await server.isLeft();
});
