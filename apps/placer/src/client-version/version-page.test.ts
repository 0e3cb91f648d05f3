import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Simulator } from '@wafleet/simulator';
import { afterEach, expect, test } from 'vitest';
import { readNewestVersion, versionPageOf } from './version-page.js';

const stops: (() => void)[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A page that answers as the listener does. */
async function pageOf(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}/sw.js`;
}

test('the page is on the host of the WhatsApp server', () => {
  expect(versionPageOf('wss://web.whatsapp.com/ws/chat')).toBe('https://web.whatsapp.com/sw.js');
  expect(versionPageOf('ws://localhost:8088/ws/chat')).toBe('http://localhost:8088/sw.js');
});

test('the revision of the simulator is read', async () => {
  const simulator = new Simulator();
  await simulator.start();
  stops.push(() => void simulator.stop());
  simulator.clientVersions.serve({ revision: 1_052_000_000 });
  expect(await readNewestVersion(versionPageOf(simulator.url))).toBe('2.3000.1052000000');
});

test('the revision is found wherever the parts of the page begin', async () => {
  const text = `${'x'.repeat(100)}"client_revision":1043857760,"y":1`;
  for (let split = 95; split < text.length; split += 1) {
    const page = await pageOf((_request, response) => {
      response.write(text.slice(0, split));
      setTimeout(() => response.end(text.slice(split)), 5);
    });
    expect(await readNewestVersion(page)).toBe('2.3000.1043857760');
  }
});

test('the rest of a long page is not waited for', async () => {
  const page = await pageOf((_request, response) => {
    response.write('"client_revision":1043857760,');
  });
  expect(await readNewestVersion(page, { timeoutMs: 2_000 })).toBe('2.3000.1043857760');
});

test.each<[string, RequestListener, RegExp]>([
  ['a refusal', (_request, response) => response.writeHead(429).end('later'), /status 429/],
  ['another page', (_request, response) => response.end('<html></html>'), /names no version/],
  ['nothing', () => {}, /timeout/],
  ['half a page', (_request, response) => response.write('"client_revi'), /timeout/],
  [
    'a redirect',
    (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    /fetch failed/,
  ],
  [
    'a number that is too long',
    (_request, response) => response.end('"client_revision":10438577601,'),
    /names no version/,
  ],
  [
    'a number that no client can report',
    (_request, response) => response.end('"client_revision":9999999999,'),
    /names no version/,
  ],
  ['zero', (_request, response) => response.end('"client_revision":0,'), /names no version/],
])('a page that answers with %s is an error', async (_name, listener, message) => {
  await expect(readNewestVersion(await pageOf(listener), { timeoutMs: 500 })).rejects.toThrow(message);
});

test('no more than 8 MB of a page are read', async () => {
  const part = Buffer.alloc(1024 * 1024, 'x');
  let sent = 0;
  const page = await pageOf((_request, response) => {
    const send = () => {
      while (sent < 64 && response.write(part)) sent += 1;
    };
    response.on('drain', send);
    send();
  });
  await expect(readNewestVersion(page)).rejects.toThrow('names no version');
  expect(sent).toBeLessThan(32);
});
