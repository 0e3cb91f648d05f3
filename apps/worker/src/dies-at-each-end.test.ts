import { randomBytes } from 'node:crypto';
import { createLogger } from '@wafleet/runtime';
import { prepareProcess, quietLibsignal, trustRootKey } from '@wafleet/session';
import { type Phone, Simulator } from '@wafleet/simulator';
import {
  Cipher,
  connectRedis,
  EVENT_LOG_BOUNDS,
  LinkOffers,
  type RedisConnection,
  SessionDirectory,
  type SessionRef,
  TenantDirectory,
} from '@wafleet/store';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { OwnedSessions } from './owned-sessions.js';

/**
 * The worker of a session dies after every second command to Redis while it removes the session. Whatever it leaves, the next
 * worker goes on.
 */
const logger = createLogger({ app: 'worker-test', level: 'silent' });
const cipher = Cipher.fromHexKeys(randomBytes(32).toString('hex'));
const simulator = new Simulator();

let server: TestRedis;
let redis: RedisConnection;
let directory: SessionDirectory;
let tenantId: string;
const workers: DyingWorker[] = [];

beforeAll(async () => {
  quietLibsignal();
  prepareProcess();
  [server] = await Promise.all([startRedis(), simulator.start()]);
  trustRootKey(simulator.rootKey);
  redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
  directory = new SessionDirectory(redis);
  tenantId = (await new TenantDirectory(redis).create('Acme')).id;
});
afterEach(() => {
  simulator.resume();
  for (const worker of workers.splice(0)) worker.die();
});
afterAll(async () => {
  redis.disconnect();
  await Promise.all([simulator.stop(), server.stop()]);
});

/** Sessions of a worker whose connection to Redis ends, and whose sockets are cut, at a chosen command. */
class DyingWorker {
  readonly id = `wrk_${randomBytes(6).toString('hex')}`;
  readonly sessions: OwnedSessions;
  isDead = false;
  /** The commands of the session since `dieAt` was called. */
  passed = 0;
  readonly #redis: RedisConnection;
  #step: { readonly sessionId: string; readonly number: number } | undefined;

  constructor({ linkPatienceMs = 600_000, qrLifeMs = 60_000 } = {}) {
    workers.push(this);
    this.#redis = connectRedis({ url: server.url, role: 'command', name: this.id, logger });
    const send = this.#redis.sendCommand;
    this.#redis.sendCommand = (command, stream) => {
      const step = this.#step;
      const isOfSession =
        step !== undefined && command.args.some((one) => String(one).includes(step.sessionId));
      if (!isOfSession || this.isDead) return send.call(this.#redis, command, stream);
      this.passed += 1;
      if (this.passed !== step.number) return send.call(this.#redis, command, stream);
      command.promise.then(() => this.die()).catch(() => {});
      return send.call(this.#redis, command, stream);
    };
    this.sessions = new OwnedSessions({
      redis: this.#redis,
      cipher,
      worker: this.id,
      whatsapp: { url: simulator.url, linkPatienceMs, qrLifeMs },
      capacity: 100,
      eventLog: { maxLength: 1_000, maxAgeMs: EVENT_LOG_BOUNDS.maxAgeMs },
      connectsPerSecond: 1_000,
      isOwnershipCertain: () => true,
      logger,
    });
  }

  dieAt(ref: SessionRef, number: number): void {
    this.#step = { sessionId: ref.sessionId, number };
  }

  die(): void {
    if (this.isDead) return;
    this.isDead = true;
    this.#redis.disconnect();
    this.sessions.discardAll();
  }
}

async function newSession(): Promise<SessionRef> {
  const ref = { tenantId, sessionId: randomBytes(6).toString('hex') };
  await directory.create(ref);
  return ref;
}

function reaches(ref: SessionRef, ...statuses: string[]) {
  return waitFor(async () => statuses.includes((await directory.require(ref)).status), {
    what: statuses.join(' or '),
  });
}

async function link(ref: SessionRef, phone: Phone): Promise<void> {
  await waitFor(
    async () => {
      const offer = await new LinkOffers(redis).getQr(ref);
      if (offer === undefined) return false;
      await phone.scan(offer.qr);
      return true;
    },
    { what: 'the phone has scanned a QR code' },
  );
  await reaches(ref, 'open');
}

const hasNoOwner = async (ref: SessionRef) => (await directory.get(ref))?.worker === undefined;

test('a session that is removed is gone from Redis and its phone wherever its worker dies, after every second command to Redis', async () => {
  let died = 0;
  for (let number = 1; ; number += 2) {
    const ref = await newSession();
    const phone = simulator.addPhone({ name: `${ref.sessionId}` });
    const worker = new DyingWorker();
    await worker.sessions.assign(ref, undefined);
    await link(ref, phone);
    await directory.markRemoval(ref, { patienceMs: 600_000 });
    worker.dieAt(ref, number);
    worker.sessions.unlink(ref).catch(() => {});
    const isGone = async () => (await directory.get(ref)) === undefined;
    await waitFor(async () => worker.isDead || (await isGone()), { what: 'death or the end' });
    const hasDied = worker.isDead;
    if (hasDied && !(await isGone())) {
      worker.die();
      await new DyingWorker().sessions.assign(ref, worker.id);
      await waitFor(isGone, { what: `the session is gone after a death after command ${number}` });
    }
    expect(await redis.keys(`*${ref.sessionId}*`)).toEqual([`wf:{${tenantId}}:owner:${ref.sessionId}`]);
    expect(phone.devices.size).toBe(0);
    for (const one of workers.splice(0)) one.die();
    if (!hasDied) break;
    died += 1;
  }
  expect(died).toBeGreaterThan(3);
});

test('a linked session without a worker is connected once to be removed, and kept until WhatsApp confirms', async () => {
  const ref = await newSession();
  const phone = simulator.addPhone({ name: 'Listed' });
  const worker = new DyingWorker();
  await worker.sessions.assign(ref, undefined);
  await link(ref, phone);
  worker.die();
  await directory.markRemoval(ref, { deadWorker: worker.id, patienceMs: 600_000 });
  simulator.refuseRequests('remove-companion-device', 500);
  await new DyingWorker().sessions.assign(ref, undefined);
  await waitFor(() => hasNoOwner(ref), { what: 'the worker leaves it to another one' });
  expect(await directory.get(ref)).toMatchObject({ status: 'queued' });
  expect(phone.devices.size).toBe(1);
  simulator.resume();
  await new DyingWorker().sessions.assign(ref, undefined);
  await waitFor(async () => (await directory.get(ref)) === undefined, { what: 'the session is gone' });
  expect(await directory.wasUnlinked(ref)).toBe(true);
  expect(phone.devices.size).toBe(0);
});

test('a session that WhatsApp refuses for good is removed all the same, and the answer says so', async () => {
  const ref = await newSession();
  const phone = simulator.addPhone({ name: 'Banned' });
  const worker = new DyingWorker();
  await worker.sessions.assign(ref, undefined);
  await link(ref, phone);
  worker.die();
  await directory.markRemoval(ref, { deadWorker: worker.id, patienceMs: 600_000 });
  simulator.refuseLogins(403, phone);
  await new DyingWorker().sessions.assign(ref, undefined);
  await waitFor(async () => (await directory.get(ref)) === undefined, { what: 'the session is gone' });
  expect(await directory.wasUnlinked(ref)).toBe(false);
});
