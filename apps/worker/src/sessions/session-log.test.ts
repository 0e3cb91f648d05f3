import { randomBytes } from 'node:crypto';
import { createLogger } from '@wafleet/runtime';
import { installPatches, quietLibsignal, trustRootKey } from '@wafleet/session';
import { Simulator } from '@wafleet/simulator';
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

const cipher = Cipher.fromHexKeys(randomBytes(32).toString('hex'));
const simulator = new Simulator();
let server: TestRedis;
let redis: RedisConnection;
let tenantId: string;
let lines: Record<string, unknown>[] = [];
const workers: OwnedSessions[] = [];

const logger = createLogger({
  app: 'worker',
  level: 'info',
  destination: { write: (line) => lines.push(JSON.parse(line)) },
});

beforeAll(async () => {
  quietLibsignal();
  installPatches();
  [server] = await Promise.all([startRedis(), simulator.start()]);
  trustRootKey(simulator.rootKey);
  redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
  tenantId = (await new TenantDirectory(redis).create('Acme')).id;
});
afterEach(() => {
  for (const worker of workers.splice(0)) worker.discardAll();
  lines = [];
});
afterAll(async () => {
  redis.disconnect();
  await Promise.all([simulator.stop(), server.stop()]);
});

function newWorker(id: string): OwnedSessions {
  const worker = new OwnedSessions({
    redis,
    cipher,
    worker: id,
    whatsapp: { url: simulator.url },
    capacity: 1,
    eventLog: { maxLength: 1_000, maxAgeMs: EVENT_LOG_BOUNDS.maxAgeMs },
    connectsPerSecond: 1_000,
    isOwnershipCertain: () => true,
    logger: logger.child({ workerId: id }),
  });
  workers.push(worker);
  return worker;
}

async function newSession(sessionId: string): Promise<SessionRef> {
  await new SessionDirectory(redis).create({ tenantId, sessionId });
  return { tenantId, sessionId };
}

/** The lines about a session so far, without what all lines have. */
function linesOf(session: string) {
  return lines
    .filter(({ sessionId }) => sessionId === session)
    .map(({ level, time, app, sessionId, ...rest }) => rest);
}

function isAwaitingLink(ref: SessionRef) {
  const directory = new SessionDirectory(redis);
  return waitFor(async () => (await directory.require(ref)).status === 'awaiting_link', {
    what: 'the session awaits a link',
  });
}

test('the logs say who claimed a session, who took it over from whom, and why it was released: a line each', async () => {
  const ref = await newSession('shop');
  await newWorker('wrk_a').assign(ref, undefined);
  const next = newWorker('wrk_b');
  await next.assign(ref, 'wrk_a');
  await isAwaitingLink(ref);
  await next.release(ref, 'moved');
  await newWorker('wrk_c').assign(ref, undefined);
  expect(linesOf('shop').filter(({ workerId }) => workerId !== 'wrk_a')).toEqual([
    { msg: 'a session was taken over', tenantId, workerId: 'wrk_b', previousWorkerId: 'wrk_a', epoch: 2 },
    { msg: 'a session was released', tenantId, workerId: 'wrk_b', epoch: 2, reason: 'moved' },
    { msg: 'a session was claimed', tenantId, workerId: 'wrk_c', epoch: 3 },
  ]);
  expect(linesOf('shop')[0]).toEqual({ msg: 'a session was claimed', tenantId, workerId: 'wrk_a', epoch: 1 });
});

test('the logs say why a worker refused to claim a session, and who has it', async () => {
  const [ours, other] = [await newSession('ours'), await newSession('other')];
  await newWorker('wrk_a').assign(ours, undefined);
  const second = newWorker('wrk_b');
  await expect(second.assign(ours, undefined)).rejects.toThrow('not the owner, wrk_a is');
  await second.assign(other, undefined);
  await expect(second.assign(ours, undefined)).rejects.toThrow('full');
  expect(linesOf('ours').filter(({ workerId }) => workerId === 'wrk_b')).toEqual([
    { msg: 'a claim was refused', tenantId, workerId: 'wrk_b', reason: 'is not the owner', ownerId: 'wrk_a' },
    { msg: 'a claim was refused', tenantId, workerId: 'wrk_b', reason: 'is full' },
  ]);
});

test('the logs say which sessions a worker lost, and which it removed', async () => {
  const [lost, removed] = [await newSession('lost'), await newSession('removed')];
  const first = newWorker('wrk_a');
  await first.assign(lost, undefined);
  first.discardAll();
  const second = newWorker('wrk_b');
  await second.assign(removed, undefined);
  await isAwaitingLink(removed);
  await new SessionDirectory(redis).markRemoval(removed, { patienceMs: 60_000 });
  await second.unlink(removed);
  expect(linesOf('lost')).toContainEqual({
    ...{ msg: 'a session was lost', tenantId, workerId: 'wrk_a', epoch: 1, reason: 'lease-lost' },
  });
  expect(linesOf('removed')).toEqual([
    { msg: 'a session was claimed', tenantId, workerId: 'wrk_b', epoch: 1 },
    { msg: 'a session was removed', tenantId, workerId: 'wrk_b', isUnlinked: true },
  ]);
});

test('the logs do not say that a session was removed whose removal was taken back', async () => {
  const ref = await newSession('kept');
  const worker = newWorker('wrk_a');
  await worker.assign(ref, undefined);
  await isAwaitingLink(ref);
  const directory = new SessionDirectory(redis);
  await directory.markRemoval(ref, { patienceMs: 60_000 });
  const send = redis.sendCommand;
  // What a purge sends first is held back until the note is gone.
  redis.sendCommand = (command, stream) => {
    if (command.name !== 'hget') return send.call(redis, command, stream);
    void directory.unmarkRemoval(ref).then(() => send.call(redis, command, stream));
    return command.promise;
  };
  await expect(worker.unlink(ref)).rejects.toThrow('the removal was taken back meanwhile');
  redis.sendCommand = send;
  expect(await directory.get(ref)).toBeDefined();
  expect(linesOf('kept').map(({ msg }) => msg)).not.toContain('a session was removed');
});

test('the logs say that a connection ended, with its reason and worker', async () => {
  const ref = await newSession('cut');
  await newWorker('wrk_a').assign(ref, undefined);
  await isAwaitingLink(ref);
  simulator.disconnectAll('socket');
  await waitFor(() => linesOf('cut').length > 1, { what: 'the end of the connection in the logs' });
  expect(linesOf('cut')[1]).toEqual({
    msg: 'the connection ended',
    tenantId,
    workerId: 'wrk_a',
    status: 'awaiting_link',
    statusCode: expect.any(Number),
    message: expect.any(String),
  });
});

test('the logs say of each attempt to remove a session that fails when the next one is due', async () => {
  const ref = await newSession('listed');
  const phone = simulator.addPhone({ name: 'Listed' });
  const first = newWorker('wrk_a');
  await first.assign(ref, undefined);
  await isAwaitingLink(ref);
  await waitFor(
    async () => {
      const offer = await new LinkOffers(redis).getQr(ref);
      if (offer !== undefined) await phone.scan(offer.qr);
      return offer !== undefined;
    },
    { what: 'the phone has scanned a QR code' },
  );
  const directory = new SessionDirectory(redis);
  await waitFor(async () => (await directory.require(ref)).status === 'open', { what: 'the link' });
  await directory.markRemoval(ref, { patienceMs: 3_600_000 });
  simulator.refuseRequests('remove-companion-device', 500);
  await expect(first.unlink(ref)).rejects.toThrow('did not confirm the logout');
  await newWorker('wrk_b').assign(ref, undefined);
  const failures = () => linesOf('listed').filter(({ msg }) => msg === 'a session could not be removed yet');
  await waitFor(() => failures().length === 2, { what: 'the second attempt' });
  await waitFor(async () => (await directory.require(ref)).worker === undefined, { what: 'the release' });
  simulator.resume();
  const err = expect.objectContaining({ message: 'WhatsApp did not confirm the logout' });
  const msg = 'a session could not be removed yet';
  expect(failures()).toEqual([
    { msg, tenantId, workerId: 'wrk_a', attempts: 1, nextAttemptAt: expect.any(String), err },
    { msg, tenantId, workerId: 'wrk_b', attempts: 2, nextAttemptAt: expect.any(String), err },
  ]);
  const { removeAfter = 0 } = await directory.require(ref);
  expect(failures()[1]?.nextAttemptAt).toBe(new Date(removeAfter).toISOString());
});
