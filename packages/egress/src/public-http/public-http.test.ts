import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { AddressRules } from '../address-rules.js';
import { PublicHttp, type PublicHttpOptions } from './public-http.js';

const LOOPBACK = AddressRules.parse('127.0.0.1');

function clientForTest(options: Partial<PublicHttpOptions> = {}): PublicHttp {
  const http = new PublicHttp({ rules: LOOPBACK, ...options });
  onTestFinished(() => http.close());
  return http;
}

async function serve(listener: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

test('a file is fetched', async () => {
  const { url } = await serve((_request, response) => {
    response.setHeader('content-type', 'text/plain').end('hello');
  });
  const answer = await clientForTest().get(url, { maxBytes: 5 });
  expect({ ...answer, headers: {}, body: await text(answer.body) }).toEqual({
    status: 200,
    url,
    headers: {},
    contentType: 'text/plain',
    length: 5,
    body: 'hello',
  });
});

test('a private address is refused', async () => {
  const { url } = await serve((_request, response) => response.end('secret'));
  const http = clientForTest({ rules: AddressRules.parse('') });
  await expect(http.get(url, { maxBytes: 5 })).rejects.toMatchObject({ kind: 'address-refused' });
});
