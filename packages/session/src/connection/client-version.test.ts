import { createLogger } from '@wafleet/runtime';
import { ClientVersions, ConnectRate, connectRedis, type RedisConnection } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { BUNDLED_VERSION, baileysVersion } from '../baileys/client-version.js';
import { Harness, type TestSession } from '../testing/harness.js';
import { ConnectLimiter } from './connect-limiter.js';

const logger = createLogger({ app: 'test', level: 'silent' });
const NEWER = '2.3000.1099000000';
const NEWEST = '2.3000.1099900000';
/** Makes rounds of six QR codes short. */
const QR_LIFE_MS = 150;

let harness: Harness;
let redis: RedisConnection;
let versions: ClientVersions;
let connectLimiter: ConnectLimiter;
const started: TestSession[] = [];

beforeAll(async () => {
  harness = await Harness.start();
  redis = connectRedis({ url: harness.redisServer.url, role: 'command', name: 'test', logger });
  versions = new ClientVersions(redis);
});

beforeEach(async () => {
  await redis.del('wf:{connects}:versions');
  connectLimiter = limiterOf({});
});

// A session that is left would go on to report versions during the next test.
afterEach(async () => {
  harness.simulator.resume();
  await Promise.all(started.splice(0).map(({ session }) => session.stop({ reason: 'away' })));
});

afterAll(async () => {
  redis?.disconnect();
  await harness?.stop();
});

function limiterOf(options: Partial<ConstructorParameters<typeof ConnectRate>[1]>): ConnectLimiter {
  const rate = new ConnectRate(redis, {
    perSecond: 100,
    clientVersion: BUNDLED_VERSION,
    pauseMs: { first: 60_000, longest: 60_000 },
    ...options,
  });
  return new ConnectLimiter({ rate, logger });
}

async function recordOf(version: string) {
  const view = await versions.view();
  return view.versions.find((each) => each.version === version);
}

const stateOf = async (version: string) => (await recordOf(version))?.state;
const triesOf = async (version: string) => (await recordOf(version))?.tries.all;

async function newSession(whatsapp = {}): Promise<TestSession> {
  const { fence } = await harness.newSession();
  const session = await harness.takeOver(fence, fence.worker, whatsapp, { connectLimiter });
  started.push(session);
  return session;
}

async function linked(name: string) {
  const phone = harness.simulator.addPhone({ name });
  const session = await newSession();
  await session.link(phone);
  const [device] = phone.devices.values();
  if (device === undefined) throw new Error(`${name} has no device`);
  return { phone, session, device };
}

/** Scans the codes of a session as they are shown, and resolves when one of them has linked it. */
async function scanUntilLinked(session: TestSession, phone: ReturnType<Harness['simulator']['addPhone']>) {
  await waitFor(
    async () => {
      const offer = await harness.offers.getQr(session.fence);
      if (offer !== undefined) await phone.scan(offer.qr).catch(() => {});
      return phone.devices.size > 0;
    },
    { what: 'a link', intervalMs: 50 },
  );
  await session.status('open');
}

describe('a session', () => {
  it('reports the version of its permit when it is linked, and when it logs in', async () => {
    connectLimiter = limiterOf({ clientVersion: NEWER, isPinned: true });
    const phone = harness.simulator.addPhone({ name: 'Anna' });
    const session = await newSession();
    await session.session.start();
    const { payload } = await session.event('auth.qr');
    const device = await phone.scan(String(payload.qr));
    expect(device.clientVersion).toBe(NEWER);
    device.clientVersion = undefined;
    await session.status('open');
    expect(device.clientVersion).toBe(NEWER);
    expect([...connectLimiter.openVersions]).toEqual([[NEWER, 1]]);
  });

  it('reports a new version at its next login, and its open connection is not ended for that', async () => {
    const { device, session } = await linked('Bea');
    await versions.noteCheck({ version: NEWER });
    const logins = device.loginRecord.logins;
    const other = await linked('Carl');
    expect(other.device.clientVersion).toBe(BUNDLED_VERSION);
    expect(device.loginRecord.logins).toBe(logins);
    harness.simulator.disconnect(device, 'socket');
    await waitFor(() => device.clientVersion === NEWER, { what: 'a login with the new version' });
    await session.status('open');
  });

  it('goes on with the version in use after the one that it tried is refused', async () => {
    const { device, session } = await linked('Dora');
    await versions.noteCheck({ version: NEWER });
    harness.simulator.clientVersions.acceptOnly([BUNDLED_VERSION]);
    harness.simulator.disconnect(device, 'socket');
    await session.event('connection.update', '"reason":"client-outdated"');
    await session.status('open');
    expect(device.clientVersion).toBe(BUNDLED_VERSION);
    const { versions: known } = await versions.view();
    expect(known).toMatchObject([{ version: NEWER, state: 'refused' }, { state: 'worked' }]);
    expect(connectLimiter.refusals).toBe(1);
  });

  it('is open again with another version at once when the version in use is refused', async () => {
    const sessions = [await linked('Emil'), await linked('Finn'), await linked('Gina')];
    await versions.noteCheck({ version: NEWER });
    await versions.noteCheck({ version: NEWEST });
    harness.simulator.clientVersions.acceptOnly([NEWER]);
    harness.simulator.disconnectAll('socket');
    for (const { session, device } of sessions) {
      await waitFor(() => device.clientVersion === NEWER && device.isOnline, {
        what: 'the version that works',
      });
      await session.status('open');
    }
    expect(await versions.view()).toMatchObject({ current: NEWER });
  });
});

describe('an account that WhatsApp refuses for a reason of its own', () => {
  it('keeps no other session from connecting with the version in use', async () => {
    const [anna, ben] = [await linked('Anna'), await linked('Ben')];
    await versions.noteCheck({ version: NEWER });
    harness.simulator.refuseLogins(405, anna.phone);
    // Anna is refused with both versions before Ben connects.
    harness.simulator.disconnect(anna.device, 'socket');
    await waitFor(async () => (await stateOf(BUNDLED_VERSION)) === 'refused', { what: 'the refusal' });
    await waitFor(() => connectLimiter.refusals >= 2, { what: 'a refusal of the other version' });
    const { logins } = ben.device.loginRecord;
    harness.simulator.disconnect(ben.device, 'socket');
    await waitFor(() => ben.device.loginRecord.logins > logins, { what: 'a login' });
    await ben.session.status('open');
    expect(ben.device.clientVersion).toBe(BUNDLED_VERSION);
    expect(await versions.view()).toMatchObject({ current: BUNDLED_VERSION });
    expect(await stateOf(BUNDLED_VERSION)).toBe('worked');
    expect(await stateOf(NEWER)).not.toBe('refused');
  });
});

describe('an outage', () => {
  it.each([429, 503])('with %i says nothing against the version that is tried', async (reason) => {
    const { phone, device, session } = await linked(`Lea ${reason}`);
    await versions.noteCheck({ version: NEWER });
    harness.simulator.refuseLogins(reason, phone);
    harness.simulator.disconnect(device, 'socket');
    await waitFor(async () => (await triesOf(NEWER)) === 1, { what: 'a try' });
    await session.event('connection.update', reason === 503 ? '"unavailable"' : '"rate-limited"');
    // What came of a connect is reported before the next one.
    await linked(`After ${reason}`);
    expect(await versions.view()).toMatchObject({ versions: [{ tries: { failed: 0 } }, {}] });
  });

  it('lets the session that it has hit come back with the version in use, and not try another one', async () => {
    const { phone, device, session } = await linked('Mia');
    harness.simulator.refuseLogins(503, phone);
    harness.simulator.disconnect(device, 'socket');
    await session.event('connection.update', '"unavailable"');
    await versions.noteCheck({ version: NEWER });
    harness.simulator.resume();
    await session.status('open');
    expect(device.clientVersion).toBe(BUNDLED_VERSION);
  });
});

describe('the first login after a link', () => {
  it('reports the version in use after it has failed twice with the one of the link', async () => {
    await linked('Nora');
    await versions.noteCheck({ version: NEWER });
    connectLimiter.suspectAtLinking(BUNDLED_VERSION, { isCertain: true });
    const phone = harness.simulator.addPhone({ name: 'Otto' });
    harness.simulator.refuseLogins(503, phone);
    const session = await newSession();
    await session.session.start();
    const { payload } = await session.event('auth.qr');
    const device = await phone.scan(String(payload.qr));
    expect(device.clientVersion).toBe(NEWER);
    // Further events repeat the status of a failed login, but not its end.
    const failures = async () =>
      (await session.events()).filter(
        ({ event, payload }) =>
          event === 'connection.update' && JSON.stringify(payload).includes('"statusCode":503'),
      );
    await waitFor(async () => (await failures()).length >= 2, { what: 'a second failure' });
    harness.simulator.resume();
    await session.status('open');
    expect(device.clientVersion).toBe(BUNDLED_VERSION);
  });
});

describe('a phone that cannot link a version, which the client does not learn', () => {
  it('links the next round of QR codes, which reports the newest version', async () => {
    harness.simulator.clientVersions.linkOnly([NEWER]);
    await versions.noteCheck({ version: NEWER });
    const phone = harness.simulator.addPhone({ name: 'Hugo' });
    const session = await newSession({ qrLifeMs: QR_LIFE_MS });
    await session.session.start();
    await scanUntilLinked(session, phone);
    const [device] = phone.devices.values();
    expect(device?.clientVersion).toBe(NEWER);
    // The next one begins with the version that was linked.
    expect(await versions.view()).toMatchObject({ linking: NEWER });
    const next = await newSession();
    const other = harness.simulator.addPhone({ name: 'Ida' });
    await next.link(other);
    expect([...other.devices.values()][0]?.clientVersion).toBe(NEWER);
  });

  it('links with the version in use if the newest one is that version', async () => {
    await linked('Jan');
    harness.simulator.clientVersions.linkOnly([BUNDLED_VERSION]);
    await versions.noteCheck({ version: NEWER });
    const phone = harness.simulator.addPhone({ name: 'Kim' });
    const session = await newSession({ qrLifeMs: QR_LIFE_MS });
    await session.session.start();
    // The first round is not scanned, so the second one reports the version that cannot be linked.
    await waitFor(
      () => [...harness.simulator.gate.registering].some(({ clientVersion }) => clientVersion === NEWER),
      { what: 'a round with the newest version' },
    );
    await scanUntilLinked(session, phone);
    expect([...phone.devices.values()][0]?.clientVersion).toBe(BUNDLED_VERSION);
  });
});

test.each(['', '2.3000', '2.3000.x', '2.3000.1.1', '2.3000.1e999'])(
  '"%s" is not a version of the client',
  (version) => {
    expect(() => baileysVersion(version)).toThrow(TypeError);
  },
);
