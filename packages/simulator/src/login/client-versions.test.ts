import { DEFAULT_CONNECTION_CONFIG } from '@whiskeysockets/baileys';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Simulator } from '../simulator.js';
import { Client } from '../testing/client.js';
import type { VersionPage } from './client-versions.js';

const simulator = new Simulator();
const bundled = DEFAULT_CONNECTION_CONFIG.version.join('.');
const anna = simulator.addPhone({ name: 'Anna' });

beforeAll(() => simulator.start());
afterEach(() => simulator.resume());
afterAll(() => simulator.stop());

const pageOf = () => `http://${simulator.host}/sw.js`;

test('a version that is not accepted is refused at login and at registration', async () => {
  const client = await Client.linked(simulator, anna);
  expect(client.device.clientVersion).toBe(bundled);
  simulator.clientVersions.acceptOnly(['2.3000.1']);
  simulator.disconnect(anna, 'socket');
  expect(await client.closed()).toBe(428);
  client.connect();
  expect(await client.closed()).toBe(405);
  const other = new Client(simulator);
  other.connect();
  expect(await other.closed()).toBe(405);
  simulator.clientVersions.acceptOnly([bundled]);
  client.connect();
  await client.open();
  await client.end();
  await other.end();
});

test('a version that cannot be linked shows codes, and no phone can take them', async () => {
  const bea = simulator.addPhone({ name: 'Bea' });
  simulator.clientVersions.linkOnly(['2.3000.1']);
  const client = new Client(simulator);
  client.connect();
  const qr = await client.qr();
  await expect(bea.scan(qr)).rejects.toThrow('could not link the device');
  const code = await client.sock.requestPairingCode(bea.number);
  await expect(bea.enterCode(code)).rejects.toThrow('could not link the device');
  expect(client.closeCodes).toEqual([]);
  expect(bea.devices.size).toBe(0);
  await client.end();
  simulator.clientVersions.linkOnly([bundled]);
  const linked = await Client.linked(simulator, bea);
  expect(bea.devices.size).toBe(1);
  await linked.end();
});

test('the page names the newest revision in the form that Baileys reads', async () => {
  const page = await (await fetch(pageOf())).text();
  expect(/\\?"client_revision\\?":\s*(\d+)/.exec(page)?.[1]).toBe(
    String(DEFAULT_CONNECTION_CONFIG.version[2]),
  );
  simulator.clientVersions.serve({ revision: 1_052_000_000 });
  expect(await (await fetch(pageOf())).text()).toContain('1052000000');
});

test.each<[VersionPage, number]>([
  [{ status: 429 }, 429],
  [{ text: 'garbage' }, 200],
])('the page answers %o with the status %i and without a revision', async (page, status) => {
  simulator.clientVersions.serve(page);
  const answer = await fetch(pageOf());
  expect(answer.status).toBe(status);
  expect(await answer.text()).not.toContain('client_revision');
});

test('the page does not answer while it is silent', async () => {
  simulator.clientVersions.serve('silence');
  await expect(fetch(pageOf(), { signal: AbortSignal.timeout(300) })).rejects.toThrow(/timeout/);
});
