import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AddressRules, EgressProxy, ProxyRoute, ProxyUrlError } from '@wafleet/egress';
import { proxyForTest } from '@wafleet/egress/testing';
import { createLogger } from '@wafleet/runtime';
import { Simulator } from '@wafleet/simulator';
import { startProxy, waitFor } from '@wafleet/testkit';
import {
  DEFAULT_CONNECTION_CONFIG,
  downloadContentFromMessage,
  encryptedStream,
  getWAUploadToServer,
} from '@whiskeysockets/baileys';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { baileysLogger } from '../baileys/logger.js';
import { routedConnections, SessionProxy } from './session-proxy.js';

const FROM = '127.0.0.2';
const logger = baileysLogger(createLogger({ app: 'test', level: 'silent' }));
const simulator = new Simulator();

beforeAll(() => simulator.start());

afterAll(() => simulator.stop());

test.each(['http', 'socks5'] as const)(
  'Baileys uploads and downloads files through the %s proxy alone',
  async (kind) => {
    const credentials = { username: 'customer', password: 'topsecret' };
    const names = { 'mmg.whatsapp.net:443': simulator.host };
    const proxy = await startProxy({ kind, from: FROM, credentials, names });
    onTestFinished(() => proxy.stop());
    const rules = AddressRules.parse('127.0.0.1');
    const ca = await simulator.certificate();
    const route = new ProxyRoute(EgressProxy.parse(proxy.url()), { rules, ca });
    onTestFinished(() => route.close());
    const { fetchAgent, options } = routedConnections(route);

    const begunAt = Date.now();
    const plain = Buffer.from('a picture '.repeat(50_000));
    const { encFilePath, fileEncSha256, mediaKey } = await encryptedStream(plain, 'image', {});
    onTestFinished(() => rm(encFilePath));
    const conn = {
      auth: simulator.uploads.auth,
      ttl: 60,
      fetchDate: new Date(),
      hosts: [{ hostname: 'mmg.whatsapp.net', maxContentLengthBytes: 1e8 }],
    };
    const upload = getWAUploadToServer(
      { ...DEFAULT_CONNECTION_CONFIG, fetchAgent, logger, options },
      async () => conn,
    );
    const fileEncSha256B64 = fileEncSha256.toString('base64');
    const { directPath } = await upload(encFilePath, { mediaType: 'image', fileEncSha256B64 });
    const chunks: Buffer[] = [];
    for await (const chunk of await downloadContentFromMessage({ mediaKey, directPath }, 'image', {
      options,
    })) {
      chunks.push(chunk);
    }
    expect(Buffer.concat(chunks).equals(plain)).toBe(true);
    const arrivals = simulator.arrivals.since(begunAt);
    expect(arrivals.map(({ what }) => what)).toEqual(['upload', 'download']);
    expect(arrivals.map(({ from }) => from)).toEqual([FROM, FROM]);
    route.close();
    await waitFor(() => proxy.connections === 0, { what: 'no connection to the proxy' });
  },
);

test('an upload fails when the proxy does, and goes no other way', async () => {
  const proxy = await startProxy({ kind: 'http', fault: 407 });
  onTestFinished(() => proxy.stop());
  const route = new ProxyRoute(EgressProxy.parse(proxy.url()), { rules: AddressRules.parse('127.0.0.1') });
  const { fetchAgent, options } = routedConnections(route);
  const { encFilePath, fileEncSha256 } = await encryptedStream(Buffer.from('a picture'), 'image', {});
  onTestFinished(() => rm(encFilePath));
  const begunAt = Date.now();
  const conn = {
    auth: 'a',
    ttl: 60,
    fetchDate: new Date(),
    hosts: [{ hostname: simulator.host, maxContentLengthBytes: 1e8 }],
  };
  let asked = 0;
  const upload = getWAUploadToServer(
    { ...DEFAULT_CONNECTION_CONFIG, fetchAgent, logger, options },
    async () => {
      asked += 1;
      return conn;
    },
  );
  const fileEncSha256B64 = fileEncSha256.toString('base64');
  await expect(upload(encFilePath, { mediaType: 'image', fileEncSha256B64 })).rejects.toThrow(
    'failed on all',
  );
  // The proxy's answer is not taken for the host's, for which Baileys would ask WhatsApp for other hosts.
  expect(asked).toBe(1);
  expect(simulator.arrivals.since(begunAt)).toEqual([]);
});

test('a change of the proxy counts, and what is none is refused', () => {
  const proxy = new SessionProxy({ rules: undefined, connectTimeoutMs: 60_000 });
  expect(proxy.openRoute()).toBeUndefined();
  proxy.set(undefined);
  expect(proxy.version).toBe(0);
  proxy.set('socks5://proxy.example:1080');
  expect(proxy.version).toBe(1);
  proxy.openRoute()?.close();
  proxy.set('nonsense');
  expect(() => proxy.openRoute()).toThrow(ProxyUrlError);
});

test('a file that stands still behind the proxy is given up', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': '10' });
    response.write('x');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const testProxy = await proxyForTest({ kind: 'http' });
  const proxy = new SessionProxy({ rules: AddressRules.parse('127.0.0.1'), connectTimeoutMs: 2_000 });
  proxy.set(testProxy.url());
  const route = proxy.openRoute();
  if (route === undefined) throw new Error('there is no route');
  onTestFinished(() => route.close());
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/`, routedConnections(route).options);
  await expect(response.arrayBuffer()).rejects.toThrow();
});
