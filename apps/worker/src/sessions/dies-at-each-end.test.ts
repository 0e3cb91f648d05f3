import { randomBytes } from 'node:crypto';
import { createLogger } from '@wafleet/runtime';
import { installPatches, quietLibsignal, trustRootKey } from '@wafleet/session';
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
 * The worker of a session dies before each write to Redis of each of the session's ends, and after the last one. The
 * API recovers from whatever it leaves: a restart leads to an open session, a removal to none. A death after a write
 * leaves the same state as a death before the next one, except for requests to WhatsApp in between. Those are tested
 * with real processes, in scenarios/slow/worker-dies-at-each-end.test.ts.
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
  installPatches();
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

/** A death at one of these leaves the same state as a death after the command before it. */
const READS: ReadonlySet<string> = new Set(['exists', 'get', 'hget', 'hgetall', 'hmget', 'smembers']);

/** Sessions of a worker whose connection to Redis ends, and whose sockets are cut, at a chosen command. */
class DyingWorker {
  readonly id = `wrk_${randomBytes(6).toString('hex')}`;
  readonly sessions: OwnedSessions;
  isDead = false;
  /** The writes of the session since `dieBefore` was called. */
  #passed = 0;
  readonly #redis: RedisConnection;
  #step: { readonly sessionId: string; readonly number: number } | undefined;

  constructor({ linkPatienceMs = 600_000, qrLifeMs = 60_000 } = {}) {
    workers.push(this);
    this.#redis = connectRedis({ url: server.url, role: 'command', name: this.id, logger });
    const send = this.#redis.sendCommand;
    this.#redis.sendCommand = (command, stream) => {
      const step = this.#step;
      const isOfSession =
        step !== undefined &&
        !READS.has(command.name) &&
        command.args.some((one) => String(one).includes(step.sessionId));
      if (isOfSession && !this.isDead) {
        this.#passed += 1;
        if (this.#passed === step.number) this.die();
      }
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

  /** Dies before the write of this number, from 1 on, that comes from now on and names the session. */
  dieBefore(ref: SessionRef, number: number): void {
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

/** What REST and a placer do for a restart, with the owner dead. Resolves to the next worker. */
async function restart(ref: SessionRef, dead: DyingWorker): Promise<DyingWorker> {
  dead.die();
  const next = new DyingWorker();
  expect(await directory.requeue(ref, { reason: 'restart', notOwner: dead.id })).toBe(true);
  await next.sessions.assign(ref, dead.id);
  return next;
}

/** Restarts the session until it is open, and links it where it asks for that. Resolves to the worker that has it. */
async function reopen(ref: SessionRef, phone: Phone, dead: DyingWorker): Promise<DyingWorker> {
  let worker = await restart(ref, dead);
  await reaches(ref, 'open', 'awaiting_link', 'logged_out');
  if ((await directory.require(ref)).status === 'logged_out') {
    // The phone had unlinked it, and nothing of that was written yet.
    await waitFor(() => hasNoOwner(ref), { what: 'the session is released' });
    worker = await restart(ref, worker);
    await reaches(ref, 'awaiting_link');
  }
  if ((await directory.require(ref)).status === 'awaiting_link') await link(ref, phone);
  return worker;
}

async function openSession(ref: SessionRef, phone: Phone): Promise<DyingWorker> {
  const worker = new DyingWorker();
  await worker.sessions.assign(ref, undefined);
  await link(ref, phone);
  return worker;
}

const hasNoOwner = async (ref: SessionRef) => (await directory.get(ref))?.worker === undefined;
const isGone = async (ref: SessionRef) => (await directory.get(ref)) === undefined;
const restsAs = async (ref: SessionRef, status: string) =>
  (await directory.get(ref))?.status === status && (await hasNoOwner(ref));

function forbid(phone: Phone): void {
  simulator.refuseLogins(403, phone);
  simulator.disconnect(phone, { failure: 403 });
}

/** An end of a session that was open. After each death the same session is opened again. */
interface End {
  readonly name: string;
  /** Leads to where the end begins. Resolves to the worker that is to die. Default: the one that has the session. */
  readonly prepare?: (ref: SessionRef, phone: Phone) => Promise<DyingWorker>;
  readonly begin: (worker: DyingWorker, ref: SessionRef, phone: Phone) => Promise<unknown>;
  readonly isOver: (ref: SessionRef) => Promise<boolean>;
}

const ends: readonly End[] = [
  {
    name: 'failed',
    begin: async (_worker, _ref, phone) => forbid(phone),
    isOver: (ref) => restsAs(ref, 'failed'),
  },
  {
    name: 'logged out',
    begin: async (_worker, _ref, phone) => phone.unlink(),
    isOver: (ref) => restsAs(ref, 'logged_out'),
  },
  {
    name: 'handed over',
    begin: (worker, ref) => worker.sessions.release(ref, 'drain'),
    isOver: hasNoOwner,
  },
  {
    name: 'restarted',
    prepare: async (ref, phone) => {
      forbid(phone);
      await waitFor(() => restsAs(ref, 'failed'), { what: 'the session has failed' });
      simulator.acceptLogins(phone);
      return new DyingWorker();
    },
    begin: async (worker, ref) => {
      await directory.requeue(ref, { reason: 'restart' });
      await worker.sessions.assign(ref, undefined);
    },
    isOver: async (ref) => (await directory.require(ref)).status === 'open',
  },
];

test.each(ends)(
  'a session that is $name opens again wherever between its writes to Redis its worker dies',
  async ({ prepare, begin, isOver }) => {
    const ref = await newSession();
    const phone = simulator.addPhone({ name: ref.sessionId });
    let owner = await openSession(ref, phone);
    let hasDied = true;
    let deaths = 0;
    for (; hasDied; deaths += 1) {
      const dying = (await prepare?.(ref, phone)) ?? owner;
      dying.dieBefore(ref, deaths + 1);
      begin(dying, ref, phone).catch(() => {});
      await waitFor(async () => dying.isDead || (await isOver(ref)), { what: 'death or the end' });
      hasDied = dying.isDead;
      simulator.acceptLogins(phone);
      owner.die();
      owner = await reopen(ref, phone, dying);
    }
    expect(deaths).toBeGreaterThan(3);
  },
);

test('a session that no phone links shows a code again wherever between its writes to Redis its worker dies', async () => {
  let hasDied = true;
  let deaths = 0;
  for (; hasDied; deaths += 1) {
    const ref = await newSession();
    const dying = new DyingWorker({ linkPatienceMs: 0, qrLifeMs: 10 });
    dying.dieBefore(ref, deaths + 1);
    dying.sessions.assign(ref, undefined).catch(() => {});
    await waitFor(async () => dying.isDead || (await restsAs(ref, 'closed')), { what: 'death or the end' });
    hasDied = dying.isDead;
    const next = await restart(ref, dying);
    await reaches(ref, 'awaiting_link');
    next.die();
  }
  expect(deaths).toBeGreaterThan(8);
});

test('a session that is removed is gone from Redis and its phone wherever between its writes to Redis its worker dies', async () => {
  let hasDied = true;
  let deaths = 0;
  for (; hasDied; deaths += 1) {
    const ref = await newSession();
    const phone = simulator.addPhone({ name: ref.sessionId });
    const dying = await openSession(ref, phone);
    await directory.markRemoval(ref, { patienceMs: 600_000 });
    dying.dieBefore(ref, deaths + 1);
    dying.sessions.unlink(ref).catch(() => {});
    await waitFor(async () => dying.isDead || (await isGone(ref)), { what: 'death or the end' });
    hasDied = dying.isDead;
    if (!(await isGone(ref))) {
      const next = new DyingWorker();
      await next.sessions.assign(ref, dying.id);
      await waitFor(() => isGone(ref), {
        what: `the session is gone after a death before write ${deaths + 1}`,
      });
      next.die();
    }
    dying.die();
    expect(await redis.keys(`*${ref.sessionId}*`)).toEqual([`wf:{${tenantId}}:owner:${ref.sessionId}`]);
    expect(phone.devices.size).toBe(0);
  }
  expect(deaths).toBeGreaterThan(3);
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

test('a session that WhatsApp refuses for good is removed all the same, and the answer reports it', async () => {
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

test('a removal that was noted when the session had a worker is done once the worker looks again', async () => {
  const ref = await newSession();
  const phone = simulator.addPhone({ name: 'Noted' });
  const worker = await openSession(ref, phone);
  await directory.markRemoval(ref, { patienceMs: 600_000 });
  await worker.sessions.assign(ref, undefined);
  await waitFor(() => isGone(ref), { what: 'the session is gone' });
  expect(phone.devices.size).toBe(0);
  await waitFor(() => worker.sessions.count === 0, { what: 'the worker has given it up' });
});
