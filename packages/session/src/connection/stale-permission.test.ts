import { createLogger } from '@wafleet/runtime';
import type { Device, Phone } from '@wafleet/simulator';
import { ConnectRate, connectRedis, type Fence, type RedisConnection } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SessionAccount } from '../auth/session-account.js';
import { People } from '../identity/people.js';
import { DecryptionJournal } from '../inbound/decryption-journal.js';
import { MessageDeduplicator } from '../inbound/message-deduplicator.js';
import { Outbox } from '../outbox/outbox.js';
import { PASSKEY_TIMES } from '../passkey/passkey-times.js';
import { SettingsInForce } from '../settings/settings-in-force.js';
import { Harness, type TestSession } from '../testing/harness.js';
import { ConnectLimiter } from './connect-limiter.js';
import { ConnectionFactory } from './connection-factory.js';
import { SentMessages } from './sent-messages.js';
import { SessionProxy } from './session-proxy.js';
import { SilenceDetector } from './silence-detector.js';
import { MAX_HELD_BYTES } from './socket-valve.js';

const logger = createLogger({ app: 'test', level: 'silent' });
const RATE = { perSecond: 1_000, clientVersion: '2.3000.1' };
/** More turns of the microtask queue than there are between a grant and the socket. */
const MOST_HOPS = 40;

let harness: Harness;
let redis: RedisConnection;

/** A rate that reports its grants in the same turn in which the limiter gets them. */
class WatchedRate extends ConnectRate {
  onGrant: () => void = () => {};

  override async take(demand: Parameters<ConnectRate['take']>[0]) {
    const grant = await super.take(demand);
    this.onGrant();
    return grant;
  }
}

beforeAll(async () => {
  harness = await Harness.start();
  redis = connectRedis({ url: harness.redisServer.url, role: 'command', name: 'test', logger });
});

afterAll(async () => {
  redis?.disconnect();
  await harness?.stop();
});

/** Returns a session that was linked and is stopped, with its device at WhatsApp. */
async function stopped(name: string): Promise<{ phone: Phone; device: Device; first: TestSession }> {
  const phone = harness.simulator.addPhone({ name });
  const first = await harness.newSession();
  await first.link(phone);
  await first.session.stop({ reason: 'away' });
  const [device] = phone.devices.values();
  if (device === undefined) throw new Error('the phone has no device');
  await waitFor(() => !device.isOnline, { what: 'the connection is closed' });
  return { phone, device, first };
}

function isPending(device: Device, id: string): boolean {
  return device.pending().some(({ attrs }) => attrs.id === id);
}

/** Opens connections that report to nothing, and the account that they use. */
function factoryOf(fence: Fence) {
  const store = harness.storeOf(fence);
  const ignore = () => {};
  const caches = harness.caches.forSession();
  const { lidMappings: pairs, memberPairs: members, usernames } = caches;
  const people = new People({ pairs, members, usernames, store: store.auth });
  const journal = new DecryptionJournal({ logger });
  const account = new SessionAccount({ store, logger });
  const inForce = new SettingsInForce({ fence, store: store.settings, onChange: ignore });
  const factory = new ConnectionFactory({
    fence,
    connectLimiter: harness.connectLimiter,
    account,
    linkVersions: { stepFor: () => undefined },
    auth: store.auth,
    settings: inForce,
    stateMachine: {
      isLinkFresh: false,
      holdUp: ignore,
      cannotOpen: ignore,
      fenced: ignore,
      storageFailed: ignore,
      credentialsUnreadable: ignore,
    },
    resources: {
      isOwnershipCertain: () => true,
      url: harness.simulator.url,
      connectTimeoutMs: 60_000,
      proxy: new SessionProxy({ rules: undefined, connectTimeoutMs: 60_000 }),
      qrLifeMs: undefined,
      inForce,
      passkeyTimes: PASSKEY_TIMES,
      linkAfterCodeMs: 60_000,
      quiet: new SilenceDetector(),
      logger,
      caches,
      journal,
      deduplicator: new MessageDeduplicator({ finished: store.finishedMessages, fence, people }),
      outbox: new Outbox({
        fence,
        eventLog: store.events,
        logger,
        lifecycle: { end: ignore },
        readingGate: { hold: ignore },
      }),
      people: { pairsLearnt: ignore, notePeople: ignore },
      sentMessages: new SentMessages({ recentMessages: store.recentMessages, fence, logger }),
      statuses: { take: () => false },
      listener: {
        receive: ignore,
        linkRefreshed: ignore,
        codeEntered: ignore,
        codeRefused: ignore,
        passkeyChanged: ignore,
        passkeyFailed: ignore,
      },
    },
  });
  return { factory, account };
}

async function inTurns(hops: number, act: () => void): Promise<void> {
  for (let hop = 0; hop < hops; hop += 1) await undefined;
  act();
}

it('a session that is discarded at any moment after its permit to connect was granted never logs in', async () => {
  const { device, first } = await stopped('Anna');
  const logins = device.loginRecord.logins;
  let { fence } = first;
  const rate = new WatchedRate(redis, RATE);
  const connectLimiter = new ConnectLimiter({ rate, logger });
  for (let hops = 0; hops < MOST_HOPS; hops += 1) {
    const test = await harness.takeOver(fence, fence.worker, {}, { connectLimiter });
    ({ fence } = test);
    let discarded = false;
    rate.onGrant = () => {
      rate.onGrant = () => {};
      void inTurns(hops, () => {
        test.session.discard();
        discarded = true;
      });
    };
    await test.session.start();
    await waitFor(() => discarded, { what: 'the session is discarded' });
  }
  const owner = await harness.takeOver(fence, fence.worker);
  await owner.session.start();
  await owner.status('open');
  await waitFor(() => harness.simulator.connectionCount === 1, { what: 'one connection is left' });
  expect({ logins: device.loginRecord.logins, conflicts: device.loginRecord.conflicts }).toEqual({
    logins: logins + 1,
    conflicts: 0,
  });
});

it('a session whose ownership is not certain opens no connection until it is, and gives its permit back', async () => {
  const { device, first } = await stopped('Berta');
  const logins = device.loginRecord.logins;
  let isCertain = true;
  let grants = 0;
  const rate = new WatchedRate(redis, RATE);
  // The process was frozen while the permit was on its way.
  rate.onGrant = () => {
    grants += 1;
    if (grants === 1) isCertain = false;
  };
  const connectLimiter = new ConnectLimiter({ rate, logger });
  const overrides = { connectLimiter, isOwnershipCertain: () => isCertain };
  const test = await harness.takeOver(first.fence, first.fence.worker, {}, overrides);
  const opening = test.session.start();
  await waitFor(() => grants === 1, { what: 'the first permit' });
  // Another session of the process gets a permit and logs in while this one waits.
  const other = harness.simulator.addPhone({ name: 'Other' });
  const session = await harness.newSession();
  await session.link(other);
  expect(device.loginRecord.logins).toBe(logins);
  isCertain = true;
  await opening;
  await test.status('open');
  expect(grants).toBe(2);
  expect(device.loginRecord.logins).toBe(logins + 1);
});

it('a process that wakes up neither acknowledges nor refuses a message before its ownership is certain', async () => {
  const { phone, device, first } = await stopped('Carla');
  const carl = harness.simulator.addPhone({ name: 'Carl' });
  let isCertain = true;
  const overrides = { isOwnershipCertain: () => isCertain };
  const frozen = await harness.takeOver(first.fence, first.fence.worker, {}, overrides);
  await frozen.session.start();
  await frozen.status('open');

  isCertain = false;
  const { id } = await carl.send(phone, { text: 'while it slept' });
  // A session that was not frozen gets a message that was sent later, and acknowledges it.
  const awake = await harness.newSession();
  const other = harness.simulator.addPhone({ name: 'Dora' });
  await awake.link(other);
  await carl.send(other, { text: 'to somebody who is awake' });
  await awake.event('messages.upsert', 'to somebody who is awake');
  expect(isPending(device, id)).toBe(true);

  isCertain = true;
  await frozen.event('messages.upsert', 'while it slept');
  await waitFor(() => !isPending(device, id), { what: 'the message is acknowledged' });
});

it('a socket that is held back too long is closed, and its messages come with the next login', async () => {
  const { phone, device, first } = await stopped('Frieda');
  const carl = harness.simulator.addPhone({ name: 'Carl' });
  let isCertain = true;
  const overrides = { isOwnershipCertain: () => isCertain };
  const frozen = await harness.takeOver(first.fence, first.fence.worker, {}, overrides);
  await frozen.session.start();
  await frozen.status('open');
  // By the time a message has arrived, the session has sent its requests after the login.
  await carl.send(phone, { text: 'before' });
  await frozen.event('messages.upsert', '"before"');
  await waitFor(() => device.pendingCount === 0, { what: 'the first message is acknowledged' });
  const logins = device.loginRecord.logins;

  isCertain = false;
  const texts = ['one', 'two', 'three', 'four', 'five'];
  for (const text of texts) await carl.send(phone, { text: text.padEnd(MAX_HELD_BYTES / 4, '.') });
  await waitFor(() => !device.isOnline, { what: 'the socket is closed' });
  expect(device.pendingCount).toBeGreaterThanOrEqual(texts.length);

  isCertain = true;
  for (const text of texts) await frozen.event('messages.upsert', `"${text}.`);
  await waitFor(() => device.pendingCount === 0, { what: 'everything is acknowledged' });
  expect(device.loginRecord.logins).toBe(logins + 1);
});

it('a socket that cannot store a message says nothing to WhatsApp, which delivers it again at the next login', async () => {
  const { phone, device, first } = await stopped('Emil');
  const carl = harness.simulator.addPhone({ name: 'Carl' });
  const { factory, account } = factoryOf(first.fence);
  const connection = await factory.open(new AbortController().signal);
  await waitFor(() => device.isOnline && device.pendingCount === 0, { what: 'the login' });
  // The session is discarded, and the socket does not know it.
  account.discard();
  const { id } = await carl.send(phone, { text: 'who stores this' });
  await waitFor(() => connection?.cause !== undefined, { what: 'the socket finds out' });
  await waitFor(() => !device.isOnline, { what: 'the socket is closed' });
  expect(isPending(device, id)).toBe(true);

  const owner = await harness.takeOver(first.fence, first.fence.worker);
  await owner.session.start();
  await owner.event('messages.upsert', 'who stores this');
});
