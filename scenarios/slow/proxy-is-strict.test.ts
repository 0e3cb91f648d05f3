import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Simulator } from '@wafleet/simulator';
import {
  type Cluster,
  collectEvents,
  type EventCollector,
  startCluster,
  startProxy,
  type TestProxy,
  type TestTenant,
  waitFor,
  waitForStatus,
} from '@wafleet/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Phone } from '../support/linked-sessions.js';

/**
 * Everything that a cluster connects to for a session with a proxy goes through that proxy, whatever happens: WhatsApp
 * sees the proxy's address and no other one. History and app-state come as files, WebSockets use TLS, as at WhatsApp.
 */

/** The worker's and the edge's own address is 127.0.0.1. */
const FROM = { http: '127.0.0.2', socks5: '127.0.0.3' } as const;

let folder: string;
let simulator: Simulator;
let cluster: Cluster;
let tenant: TestTenant;
let events: EventCollector;
let carl: Phone;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wafleet-proxies-'));
  simulator = new Simulator({ tls: true, syncsByFile: true });
  await simulator.start();
  const certificate = join(folder, 'simulator.pem');
  await writeFile(certificate, await simulator.certificate());
  const environment = { NODE_EXTRA_CA_CERTS: certificate, PROXY_ALLOW: '127.0.0.1', LOG_LEVEL: 'debug' };
  cluster = await startCluster({ simulator, workers: 2, environment });
  tenant = await cluster.addTenant();
  events = await collectEvents(cluster.edges[0]?.url ?? '', tenant.apiKey, ['*']);
  carl = simulator.addPhone({ name: 'Carl' });
});

afterAll(async () => {
  events?.close();
  await cluster?.stop();
  await simulator?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

async function proxyFor(kind: keyof typeof FROM): Promise<TestProxy> {
  const credentials = { username: 'customer', password: randomBytes(12).toString('base64url') };
  const names = { 'mmg.whatsapp.net:443': simulator.host };
  const proxy = await startProxy({ kind, from: FROM[kind], credentials, names });
  onTestFinished(() => proxy.stop());
  return proxy;
}

/** A session that is linked to a phone of its own through the proxy. It ends with the test. */
async function linkedSession(id: string, proxy: TestProxy): Promise<Phone> {
  const phone = simulator.addPhone({ name: 'Anna' });
  phone.history.remember(carl, {
    id: `${id}-past`,
    sender: carl,
    message: { conversation: `long ago, ${id}` },
  });
  await phone.settings.pinChat(carl);
  await tenant.client.call('create-session', { body: { id, proxy: proxy.url() } });
  onTestFinished(async () => {
    await tenant.client.call('remove-session', { params: { id } });
  });
  await cluster.linkByQr(tenant.client, id, phone);
  return phone;
}

/** Where WhatsApp was reached from since then. */
function origins(since: number): Set<string> {
  return new Set(simulator.arrivals.since(since).map(({ from }) => from));
}

async function received(text: string): Promise<void> {
  await waitFor(() => JSON.stringify(events.events).includes(text), {
    what: `an event with ${text}`,
    timeoutMs: 60_000,
  });
}

async function reason(id: string, expected: string): Promise<void> {
  const look = async () => {
    const session = await tenant.client.call('get-session', { params: { id } });
    return session.status === 'reconnecting' && session.reason === expected;
  };
  await waitFor(look, { what: `${id} reconnecting: ${expected}`, timeoutMs: 60_000 });
}

async function fileOf(id: string, messageId: string): Promise<Response> {
  const url = `${cluster.edges[0]?.url}/api/sessions/${id}/messages/${messageId}/media`;
  return fetch(url, { headers: { 'x-api-key': tenant.apiKey } });
}

test.each(['http', 'socks5'] as const)('WhatsApp sees the %s proxy alone', async (kind) => {
  const begunAt = Date.now();
  const proxy = await proxyFor(kind);
  const id = `shop-${kind}`;
  const anna = await linkedSession(id, proxy);
  await received(`long ago, ${id}`);
  await received('"pinned":');
  await carl.send(anna, `${id} is open`);
  await received(`${id} is open`);
  const data = randomBytes(300_000);
  const { id: messageId } = await carl.sendMedia(anna, { kind: 'image', data });
  await received(messageId);
  const response = await fileOf(id, messageId);
  expect(response.status).toBe(200);
  expect(Buffer.from(await response.arrayBuffer()).equals(data)).toBe(true);

  const arrivals = simulator.arrivals.since(begunAt);
  expect(new Set(arrivals.map(({ what }) => what))).toEqual(new Set(['socket', 'download']));
  // History in three chunks, one collection of app-state or more, and the file of the message.
  expect(arrivals.filter(({ what }) => what === 'download').length).toBeGreaterThanOrEqual(5);
  expect(proxy.targets).toContain('mmg.whatsapp.net:443');

  const [device] = anna.devices.values();
  const logins = device?.loginRecord.logins ?? 0;
  const owners = [...cluster.workers];
  await Promise.all([cluster.addWorker(), cluster.addWorker()]);
  await Promise.all(owners.map((worker) => worker.kill()));
  await waitFor(() => (device?.loginRecord.logins ?? 0) > logins, { what: 'a takeover', timeoutMs: 60_000 });
  await waitForStatus(tenant.client, id, 'open');
  await carl.send(anna, `${id} is open again`);
  await received(`${id} is open again`);
  expect(origins(begunAt)).toEqual(new Set([FROM[kind]]));
});

test('a dead proxy, wrong credentials and a stall show as such, and heal', async () => {
  const begunAt = Date.now();
  const proxy = await proxyFor('http');
  const anna = await linkedSession('faults', proxy);
  const { id: messageId } = await carl.sendMedia(anna, { kind: 'image', data: Buffer.from('a picture') });
  await received(messageId);

  await proxy.stop();
  await reason('faults', 'proxy-unreachable');
  expect((await fileOf('faults', messageId)).status).toBe(502);
  await carl.send(anna, 'while the proxy was dead');
  await proxy.start();
  await waitForStatus(tenant.client, 'faults', 'open');
  await received('while the proxy was dead');

  const change = (url: string) =>
    tenant.client.call('change-session', { params: { id: 'faults' }, body: { proxy: url } });
  await change(proxy.url({ username: 'customer', password: 'no-longer-right' }));
  await reason('faults', 'proxy-auth');
  expect((await fileOf('faults', messageId)).status).toBe(502);
  await carl.send(anna, 'while the credentials were wrong');
  const { proxy: shown } = await change(proxy.url());
  expect(shown).toEqual({ kind: 'http', host: '127.0.0.1', port: proxy.port, hasCredentials: true });
  await waitForStatus(tenant.client, 'faults', 'open');
  await received('while the credentials were wrong');
  expect(await (await fileOf('faults', messageId)).text()).toBe('a picture');

  proxy.setFault('silent');
  simulator.disconnect(anna, 'tcp');
  await reason('faults', 'proxy-timeout');
  proxy.setFault(undefined);
  await waitForStatus(tenant.client, 'faults', 'open');
  expect(origins(begunAt)).toEqual(new Set([FROM.http]));
});

test('an open session takes another proxy by one reconnect, and loses nothing', async () => {
  const before = await proxyFor('http');
  const after = await proxyFor('socks5');
  const anna = await linkedSession('moving', before);
  await received('long ago, moving');
  await waitFor(() => before.connections === 1, { what: 'all files of history and app-state fetched' });
  const [device] = anna.devices.values();
  const logins = device?.loginRecord.logins ?? 0;
  const begunAt = Date.now();
  const texts = Array.from({ length: 20 }, (_, index) => `moving-${index}.`);
  const sending = (async () => {
    for (const text of texts) await carl.send(anna, text);
  })();
  const changed = await tenant.client.call('change-session', {
    params: { id: 'moving' },
    body: { proxy: after.url() },
  });
  expect(changed.takesEffect.proxy).toBe('reconnect');
  await sending;
  await received(texts.at(-1) ?? '');
  await waitForStatus(tenant.client, 'moving', 'open');
  expect(device?.loginRecord.logins).toBe(logins + 1);
  expect(device?.loginRecord.conflicts).toBe(0);
  expect(origins(begunAt)).toEqual(new Set([FROM.socks5]));
  await waitFor(() => before.connections === 0, { what: 'no connection to the old proxy' });
  const seen = events.events
    .filter(({ event }) => event === 'messages.upsert')
    .map(({ payload }) => JSON.stringify(payload));
  for (const text of texts)
    expect(
      seen.filter((payload) => payload.includes(`"${text}"`)),
      text,
    ).toHaveLength(1);
});
