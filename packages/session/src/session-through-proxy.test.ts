import { AddressRules } from '@wafleet/egress';
import { proxyForTest } from '@wafleet/egress/testing';
import { createLogger } from '@wafleet/runtime';
import { ConnectRate, connectRedis } from '@wafleet/store';
import { type ProxyFault, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ConnectLimiter } from './connection/connect-limiter.js';
import { Harness, type TestSession } from './testing/harness.js';

const FROM = '127.0.0.2';
const CREDENTIALS = { username: 'customer', password: 'topsecret' };
const proxyRules = AddressRules.parse('127.0.0.1');
const logger = createLogger({ app: 'test', level: 'silent' });
let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(() => harness.stop());

function sessionFor(url: string): Promise<TestSession> {
  return harness.newSession({ connectTimeoutMs: 4_000 }, { proxy: url, proxyRules });
}

async function reason(session: TestSession, expected: string): Promise<void> {
  await waitFor(async () => (await session.record()).reason === expected, {
    what: `reason ${expected}`,
    timeoutMs: 20_000,
  });
}

/** Where WhatsApp was reached from since then. */
function origins(since: number): Set<string> {
  return new Set(harness.simulator.arrivals.since(since).map(({ from }) => from));
}

async function messages(session: TestSession, text: string): Promise<number> {
  const events = await session.events();
  return events.filter(
    ({ event, payload }) => event === 'messages.upsert' && JSON.stringify(payload).includes(text),
  ).length;
}

describe.each(['http', 'socks5'] as const)('through the %s proxy', (kind) => {
  test('a session is linked, used and taken over, and WhatsApp sees the proxy alone', async () => {
    const proxy = await proxyForTest({ kind, credentials: CREDENTIALS });
    const begunAt = Date.now();
    const anna = harness.simulator.addPhone({ name: 'Anna' });
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    const session = await sessionFor(proxy.url());
    await session.link(anna);
    await carl.send(anna, 'one');
    await session.event('messages.upsert', 'one');

    await session.session.stop({ reason: 'moved' });
    const { fence } = session;
    await harness.ownership.release(fence);
    const next = await harness.takeOver(fence, undefined, {}, { proxy: proxy.url(), proxyRules });
    await next.session.start();
    await next.status('open');
    await carl.send(anna, 'two');
    await next.event('messages.upsert', 'two');
    expect(origins(begunAt)).toEqual(new Set([FROM]));
    next.session.discard();
    await waitFor(() => proxy.connections === 0, { what: 'no connection to the proxy' });
    expect(JSON.stringify([await next.events(), await next.record()])).not.toMatch(/topsecret|customer/);
  });

  const faults: readonly [ProxyFault, string][] = [
    [407, kind === 'http' ? 'proxy-auth' : 'proxy-refused'],
    [403, 'proxy-refused'],
    [405, 'proxy-refused'],
    [429, 'proxy-refused'],
    [502, 'proxy-refused'],
    ['silent', 'proxy-timeout'],
    ['rst', 'proxy-unreachable'],
    ['garbage', 'proxy-unreachable'],
  ];
  test.each(faults)('the fault %s is not taken for WhatsApp’s, and heals', async (fault, expected) => {
    const proxy = await proxyForTest({ kind, fault });
    const begunAt = Date.now();
    const session = await sessionFor(proxy.url());
    await session.session.start();
    await reason(session, expected);
    expect(origins(begunAt)).toEqual(new Set());
    const { payload } = await session.event('connection.update', 'lastDisconnect', expected);
    expect(payload.lastDisconnect).toEqual({ message: expect.stringMatching(/proxy/i) });
    proxy.setFault(undefined);
    await session.status('awaiting_link');
    expect(origins(begunAt)).toEqual(new Set([FROM]));
    session.session.discard();
  });

  test('wrong credentials show, and right ones heal them at once', async () => {
    const proxy = await proxyForTest({ kind, credentials: CREDENTIALS });
    const session = await sessionFor(proxy.url({ username: 'customer', password: 'old-topsecret' }));
    await session.session.start();
    await reason(session, 'proxy-auth');
    await session.setProxy(proxy.url());
    await session.status('awaiting_link', 5_000);
    expect(JSON.stringify([await session.events(), await session.record()])).not.toMatch(
      /topsecret|customer/,
    );
    session.session.discard();
  });

  test('the death of the proxy shows, and its return heals', async () => {
    const proxy = await proxyForTest({ kind });
    const anna = harness.simulator.addPhone({ name: 'Anna' });
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    const session = await sessionFor(proxy.url());
    await session.link(anna);
    const begunAt = Date.now();
    await proxy.stop();
    await reason(session, 'proxy-unreachable');
    await carl.send(anna, 'meanwhile');
    await proxy.start();
    await session.status('open');
    await session.event('messages.upsert', 'meanwhile');
    expect(origins(begunAt)).toEqual(new Set([FROM]));
    session.session.discard();
  });
});

test('a session that gets a proxy while it is open connects again through it, once, and loses nothing', async () => {
  const proxy = await proxyForTest({ kind: 'socks5', credentials: CREDENTIALS });
  const other = await proxyForTest({ kind: 'http', from: '127.0.0.3' });
  const anna = harness.simulator.addPhone({ name: 'Anna' });
  const carl = harness.simulator.addPhone({ name: 'Carl' });
  const session = await harness.newSession({}, { proxyRules });
  await session.link(anna);
  const [device] = anna.devices.values();
  const logins = device?.loginRecord.logins ?? 0;
  let sent = 0;
  const sendSome = async () => {
    for (let i = 0; i < 10; i += 1) {
      sent += 1;
      await carl.send(anna, `text-${sent}.`);
    }
  };
  for (const [url, from] of [
    [proxy.url(), FROM],
    [other.url(), '127.0.0.3'],
    [undefined, '127.0.0.1'],
  ] as const) {
    const begunAt = Date.now();
    const sending = sendSome();
    await Promise.all([session.setProxy(url), session.setProxy(url)]);
    await sending;
    await session.status('open');
    await session.event('messages.upsert', `text-${sent}.`);
    expect(origins(begunAt)).toEqual(new Set([from]));
  }
  await session.setProxy(undefined);
  expect(device?.loginRecord.logins).toBe(logins + 3);
  expect(device?.loginRecord.conflicts).toBe(0);
  for (let i = 1; i <= sent; i += 1) expect(await messages(session, `"text-${i}."`), `text ${i}`).toBe(1);
  const reasons = (await session.events()).map(({ payload }) => payload.reason);
  expect(reasons.filter((each) => each === 'proxy-changed').length).toBeGreaterThanOrEqual(3);
  session.session.discard();
});

/** Grants nothing while it is held. */
class HeldRate extends ConnectRate {
  isAsked = false;
  isHeld = true;

  override async take(demand: Parameters<ConnectRate['take']>[0]) {
    this.isAsked = true;
    await waitFor(() => !this.isHeld, { what: 'the end of the hold' });
    return super.take(demand);
  }
}

test('a proxy that is set while the session waits for its turn to connect is used, without a notice of it', async () => {
  const redis = connectRedis({ url: harness.redisServer.url, role: 'command', name: 'test', logger });
  onTestFinished(() => redis.disconnect());
  const rate = new HeldRate(redis, { perSecond: 1_000, clientVersion: '2.3000.1' });
  const connectLimiter = new ConnectLimiter({ rate, logger });
  const proxy = await proxyForTest({ kind: 'http' });
  const begunAt = Date.now();
  const session = await harness.newSession({}, { proxyRules, connectLimiter });
  const started = session.session.start();
  await waitFor(() => rate.isAsked, { what: 'the request for a permit' });
  await harness.storeSettings(session.fence, {}, proxy.url());
  rate.isHeld = false;
  await started;
  await session.status('awaiting_link');
  expect(origins(begunAt)).toEqual(new Set([FROM]));
  session.session.discard();
});

test('a session that learns of a later version of its settings reads them', async () => {
  const proxy = await proxyForTest({ kind: 'http' });
  const session = await harness.newSession({}, { proxyRules });
  await session.session.start();
  await session.status('awaiting_link');
  const begunAt = Date.now();
  await harness.storeSettings(session.fence, {}, proxy.url());
  await session.session.noticeSettings(1);
  await waitFor(() => origins(begunAt).has(FROM), { what: 'a connection through the proxy' });
  session.session.discard();
});

test('a proxy that cannot be read ends the session, which never connects without', async () => {
  const begunAt = Date.now();
  const session = await sessionFor('topsecret');
  await session.session.start();
  const { reason } = await session.status('failed');
  expect(reason).toBe('proxy-unreadable');
  expect(session.ends).toEqual(['failed']);
  expect(origins(begunAt)).toEqual(new Set());
});

test('a proxy in the cluster’s own network is not connected to', async () => {
  const proxy = await proxyForTest({ kind: 'http' });
  const session = await harness.newSession({ connectTimeoutMs: 4_000 }, { proxy: proxy.url() });
  await session.session.start();
  await reason(session, 'proxy-unreachable');
  expect(proxy.targets).toEqual([]);
  session.session.discard();
});

test('an end of the session gives up a connection that the proxy holds up', async () => {
  const proxy = await proxyForTest({ kind: 'http', fault: 'silent' });
  const session = await harness.newSession({}, { proxy: proxy.url(), proxyRules });
  await session.session.start();
  await waitFor(() => proxy.connections === 1, { what: 'a connection to the proxy' });
  await session.session.stop({ reason: 'moved' });
  await waitFor(() => proxy.connections === 0, { what: 'no connection to the proxy', timeoutMs: 2_000 });
});
