import { execFile, spawnSync } from 'node:child_process';
import { platform } from 'node:os';
import { promisify } from 'node:util';
import type { Metadata, SessionChange } from '@wafleet/contract';
import { statusBroadcast } from '@wafleet/simulator';
import {
  type Cluster,
  collectEvents,
  type EventCollector,
  startCluster,
  startProxy,
  type TestTenant,
  waitFor,
  waitForStatus,
} from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { codeBlocks } from './support/client-programs.js';
import type { Phone } from './support/linked-sessions.js';
import { ownerOf } from './support/owner-process.js';

interface NewSession {
  readonly settings?: NonNullable<SessionChange['settings']>;
  readonly metadata?: Metadata;
}

const execute = promisify(execFile);

/** The type of a part of the history. */
const COMPLETE = 2;

/** An address of this machine from which no process of the cluster connects. */
const PROXY_ADDRESS = '127.0.0.2';

let cluster: Cluster;
let tenant: TestTenant;
let events: EventCollector;
let alice: Phone;
let bob: Phone;
let sessions = 0;

beforeAll(async () => {
  cluster = await startCluster({ workers: 2, environment: { PROXY_ALLOW: '127.0.0.1' } });
});

afterAll(() => cluster?.stop());

beforeEach(async () => {
  tenant = await cluster.addTenant();
  sessions += 1;
  const person = (name: string) => cluster.simulator.addPhone({ name: `${name} ${sessions}` });
  [alice, bob] = [person('Alice'), person('Bob')];
  events = await collectEvents(cluster.edges[0]?.url ?? '', tenant.apiKey, ['*']);
});

afterEach(() => events.close());

async function openSession(body: NewSession = {}) {
  await tenant.client.call('create-session', {
    body: { settings: body.settings ?? {}, metadata: { ...body.metadata }, id: 'shop' },
  });
  await cluster.linkByQr(tenant.client, 'shop', alice);
  const [device] = alice.devices.values();
  if (device === undefined) throw new Error('the session is open and its phone has no device');
  return device;
}

async function change(body: SessionChange) {
  const { takesEffect } = await tenant.client.call('change-session', { params: { id: 'shop' }, body });
  return takesEffect;
}

function texts(): string[] {
  return events
    .payloads('messages.upsert')
    .filter(({ history }) => history !== true)
    .flatMap(({ messages }) => messages.flatMap(({ message }) => message?.conversation ?? []))
    .map(String);
}

async function arrived(text: string): Promise<void> {
  await waitFor(() => texts().includes(text), { what: `the message ${text}` });
}

const readBy = (person: Phone) =>
  person.inbox.receipts.filter(({ type }) => type === 'read').flatMap(({ ids }) => ids);

describe('a session that is made with settings', () => {
  test('is linked, shown and heard as they say', async () => {
    alice.history.remember(bob, { sender: bob, message: { conversation: 'before' } });
    const device = await openSession({
      settings: {
        device: { name: 'Till 3', platform: 'desktop' },
        history: 'full',
        online: true,
        autoRead: true,
        calls: { reject: 'all', message: 'Please write.' },
      },
      metadata: { shop: '17' },
    });
    expect(device).toMatchObject({ os: 'Till 3', platform: 'DESKTOP', wantsFullHistory: true });
    await waitFor(() => device.available, { what: 'the account is online' });
    const { id } = await bob.send(alice, 'hello');
    await arrived('hello');
    await waitFor(() => readBy(bob).includes(id), { what: 'the message is read' });
    expect(await bob.call(alice).settled()).toBe('rejected');
    await bob.waitForMessage(({ text }) => text === 'Please write.');
    await events.waitForEvent('messages.upsert', ({ sync }) => sync?.type === COMPLETE, {
      what: 'of the complete history',
    });
    expect(await tenant.client.call('get-session', { params: { id: 'shop' } })).toMatchObject({
      metadata: { shop: '17' },
      settings: { online: true, history: 'full' },
    });
  });

  test('keeps them with its next worker', async () => {
    const device = await openSession({ settings: { autoRead: true, ignore: { statuses: true } } });
    expect(await change({ settings: { online: true, calls: { reject: 'direct' } } })).toEqual({
      online: 'now',
      calls: 'now',
    });
    const { worker } = await tenant.client.call('get-session', { params: { id: 'shop' } });
    const owner = await ownerOf(cluster, tenant, 'shop');
    await owner.kill();
    await waitFor(
      async () => {
        const session = await tenant.client.call('get-session', { params: { id: 'shop' } });
        return session.status === 'open' && session.worker !== worker;
      },
      { what: 'another worker has the session', timeoutMs: 60_000 },
    );
    await waitFor(() => device.available, { what: 'the account is online' });
    expect(await bob.call(alice).settled()).toBe('rejected');
    await bob.send(statusBroadcast, 'a status', { audience: [alice] });
    const { id } = await bob.send(alice, 'hello');
    await waitFor(() => readBy(bob).includes(id), { what: 'the message is read' });
    expect(texts()).not.toContain('a status');
    await cluster.addWorker();
  });
});

test('without settings nothing of that happens', async () => {
  alice.history.remember(bob, { sender: bob, message: { conversation: 'before' } });
  const device = await openSession();
  expect(device).toMatchObject({ os: 'Mac OS', platform: 'CHROME', wantsFullHistory: false });
  const { id } = await bob.send(alice, 'hello');
  await bob.send(statusBroadcast, 'a status', { audience: [alice] });
  const group = await bob.createGroup('Team', [alice]);
  await bob.send(group, 'to all');
  await arrived('to all');
  const call = bob.call(alice);
  await events.waitForEvent('call', ({ calls }) => calls.some((each) => each.id === call.id));
  expect(texts()).toEqual(['hello', 'a status', 'to all']);
  expect(call.state).toBe('ringing');
  expect(device.available).toBe(false);
  expect(readBy(bob)).not.toContain(id);
  expect(bob.received).toEqual([]);
});

test('an open session follows each change at once, over the same connection', async () => {
  const device = await openSession();
  const group = await bob.createGroup('Team', [alice]);

  expect(await change({ settings: { ignore: { groups: true, chats: [] } } })).toEqual({ ignore: 'now' });
  await bob.send(group, 'not heard');
  await bob.send(alice, 'one');
  await arrived('one');
  expect(await change({ settings: { ignore: { groups: null, chats: [bob.jid] } } })).toEqual({
    ignore: 'now',
  });
  await bob.send(alice, 'not heard');
  await bob.send(group, 'two');
  await arrived('two');
  expect(await change({ settings: { ignore: null } })).toEqual({ ignore: 'now' });
  await bob.send(alice, 'three');
  await arrived('three');
  expect(texts()).toEqual(['one', 'two', 'three']);

  expect(await change({ settings: { online: true } })).toEqual({ online: 'now' });
  await waitFor(() => device.available, { what: 'the account is online' });
  expect(await change({ settings: { online: null } })).toEqual({ online: 'now' });
  await waitFor(() => !device.available, { what: 'the account is not online' });

  expect(await change({ settings: { autoRead: true, autoReadStatuses: true } })).toEqual({
    autoRead: 'now',
    autoReadStatuses: 'now',
  });
  const { id } = await bob.send(alice, 'four');
  const { id: status } = await bob.send(statusBroadcast, 'a status', { audience: [alice] });
  await waitFor(() => [id, status].every((each) => readBy(bob).includes(each)), { what: 'both are read' });
  await change({ settings: { autoRead: false } });
  const { id: unread } = await bob.send(alice, 'five');
  const { id: seen } = await bob.send(statusBroadcast, 'a status', { audience: [alice] });
  await waitFor(() => readBy(bob).includes(seen), { what: 'the status is seen' });
  expect(readBy(bob)).not.toContain(unread);

  expect(await change({ settings: { calls: { reject: 'direct', message: 'Please write.' } } })).toEqual({
    calls: 'now',
  });
  expect(await bob.call(alice).settled()).toBe('rejected');
  expect(await bob.call(alice).settled()).toBe('rejected');
  await bob.waitForMessage(({ text }) => text === 'Please write.');
  await change({ settings: { calls: null } });
  const call = bob.call(alice);
  await events.waitForEvent('call', ({ calls }) => calls.some((each) => each.id === call.id));
  expect(call.state).toBe('ringing');
  expect(bob.received).toHaveLength(1);

  expect(await change({ settings: { history: 'none' } })).toEqual({ history: 'now' });
  alice.history.remember(bob, { sender: bob, message: { conversation: 'old' } });
  await alice.history.share({ kind: 'RECENT', chats: [bob], chunkOrder: 7 });
  await bob.send(alice, 'six');
  await arrived('six');
  expect(JSON.stringify(events.payloads('messages.upsert'))).not.toContain('"old"');
  expect(await change({ settings: { history: 'recent' } })).toEqual({ history: 'now' });
  await alice.history.share({ kind: 'RECENT', chats: [bob], chunkOrder: 8 });
  await events.waitForEvent('messages.upsert', ({ messages }) => JSON.stringify(messages).includes('old'));

  expect(await change({ settings: { device: { name: 'Till 9' }, history: 'full' }, name: 'Nine' })).toEqual({
    device: 'next-link',
    history: 'next-link',
    name: 'now',
  });
  expect(device).toMatchObject({ os: 'Mac OS', isOnline: true });
  expect(device.loginRecord).toMatchObject({ logins: 1, conflicts: 0 });
  alice.unlink();
  await waitForStatus(tenant.client, 'shop', 'logged_out');
  await tenant.client.call('restart-session', { params: { id: 'shop' } });
  await cluster.linkByQr(tenant.client, 'shop', alice);
  expect([...alice.devices.values()]).toMatchObject([{ os: 'Till 9', wantsFullHistory: true }]);
});

// Other systems have one address on the loopback.
// A bare machine may lack curl; the test then counts as skipped.
test.skipIf(spawnSync('curl', ['--version']).status !== 0)(
  'the commands of docs/proxies.md set a proxy and remove it',
  async () => {
    await tenant.client.call('create-session', { body: { id: 'shop' } });
    const run = async (command: string) => {
      const toEdge = command.replaceAll('http://localhost:3000', cluster.edges[0]?.url ?? '');
      const env = { PATH: process.env.PATH ?? '', API_KEY: tenant.apiKey };
      // Without blocking this process: the simulator, which answers the session, is part of it.
      return JSON.parse((await execute('sh', ['-euc', toEdge], { env })).stdout);
    };
    const [set = '', remove = ''] = codeBlocks('docs/proxies.md', 'sh');
    const shown = { kind: 'socks5', host: 'proxy.example', port: 1080, hasCredentials: true };
    expect(await run(set)).toMatchObject({ proxy: shown, takesEffect: { proxy: 'reconnect' } });
    expect(await run(remove)).not.toHaveProperty('proxy');
  },
);

test.runIf(platform() === 'linux')(
  'a proxy replaces the connection once, and holds from then on',
  async () => {
    const credentials = { username: 'customer', password: 'not-to-be-shown' };
    const proxy = await startProxy({ kind: 'socks5', from: PROXY_ADDRESS, credentials });
    onTestFinished(() => proxy.stop());
    const device = await openSession();
    const changedAt = Date.now();
    expect(await change({ proxy: proxy.url(), settings: { online: true } })).toEqual({
      proxy: 'reconnect',
      online: 'now',
    });
    await waitFor(() => device.loginRecord.logins === 2 && device.available, { what: 'another login' });
    await bob.send(alice, 'through the proxy');
    await arrived('through the proxy');
    const shown = await tenant.client.call('get-session', { params: { id: 'shop' } });
    expect(shown.proxy).toEqual({
      kind: 'socks5',
      host: '127.0.0.1',
      port: proxy.port,
      hasCredentials: true,
    });
    const arrivals = cluster.simulator.arrivals.since(changedAt);
    expect(new Set(arrivals.map(({ from }) => from))).toEqual(new Set([PROXY_ADDRESS]));
    expect(device.loginRecord).toMatchObject({ logins: 2, conflicts: 0 });

    const removedAt = Date.now();
    expect(await change({ proxy: null })).toEqual({ proxy: 'reconnect' });
    await waitFor(() => device.loginRecord.logins === 3 && device.isOnline, { what: 'a direct login' });
    const direct = cluster.simulator.arrivals.since(removedAt);
    expect(direct.some(({ from }) => from === PROXY_ADDRESS)).toBe(false);
    const apps = [...cluster.workers, ...cluster.edges.map(({ process }) => process)];
    const logged = apps.map(({ logs }) => logs);
    expect(JSON.stringify([logged, events.events])).not.toContain(credentials.password);
  },
);
