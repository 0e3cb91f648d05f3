import { randomBytes } from 'node:crypto';
import { createLogger } from '@wafleet/runtime';
import { installPatches, quietLibsignal, trustRootKey } from '@wafleet/session';
import { newBundleKey, openBundle, writeBundleKey } from '@wafleet/session-bundle';
import { linkReadyCompanion, type Phone, Simulator } from '@wafleet/simulator';
import {
  Cipher,
  connectRedis,
  EVENT_LOG_BOUNDS,
  EventLog,
  type ExportOutcome,
  NotOwnerError,
  Ownership,
  type RedisConnection,
  SessionDirectory,
  SessionExports,
  SessionImports,
  type SessionRef,
  TenantDirectory,
  verifyEncryptionKey,
} from '@wafleet/store';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { OwnedSessions } from './owned-sessions.js';

const logger = createLogger({ app: 'worker-test', level: 'silent' });
const cipher = Cipher.fromHexKeys(randomBytes(32).toString('hex'));
const passphrase = 'correct horse battery';
const simulator = new Simulator();
let server: TestRedis;
let redis: RedisConnection;
let directory: SessionDirectory;
let exports: SessionExports;
let sessions: OwnedSessions;
let ref: SessionRef;

beforeAll(async () => {
  quietLibsignal();
  installPatches();
  [server] = await Promise.all([startRedis(), simulator.start()]);
  trustRootKey(simulator.rootKey);
  redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
  await verifyEncryptionKey(redis, cipher);
  directory = new SessionDirectory(redis);
  exports = new SessionExports(redis);
});

beforeEach(async () => {
  const { id: tenantId } = await new TenantDirectory(redis).create('Acme');
  ref = { tenantId, sessionId: 'shop' };
  sessions = new OwnedSessions({
    redis,
    cipher,
    worker: `wrk_${tenantId}`,
    whatsapp: { url: simulator.url },
    capacity: 10,
    eventLog: { maxLength: 1_000, maxAgeMs: EVENT_LOG_BOUNDS.maxAgeMs },
    connectsPerSecond: 1_000,
    isOwnershipCertain: () => true,
    logger,
  });
});

afterAll(async () => {
  redis.disconnect();
  await Promise.all([simulator.stop(), server.stop()]);
});

async function importLinked(): Promise<{ readonly device: string; readonly phone: Phone }> {
  const phone = simulator.addPhone({ name: 'Anna' });
  const { creds, preKeys } = linkReadyCompanion(phone, { preKeyCount: 3 });
  const device = `${phone.number}:1`;
  const keys = new Map([['pre-key', new Map<string, unknown>(Object.entries(preKeys))]]);
  const imports = new SessionImports({ redis, directory });
  await imports.create(ref, { creds, keys, phone: phone.number, device });
  return { device, phone };
}

/** Does something at the moment when a worker has sealed the credentials and is about to hand them out. */
function beforeHandedOut(what: () => Promise<unknown>): void {
  const send = redis.sendCommand.bind(redis);
  const end = () => {
    redis.sendCommand = send;
  };
  onTestFinished(end);
  redis.sendCommand = (command, stream) => {
    const isFinish = command.name.startsWith('eval') && command.args.some(isOutcomeKey);
    if (!isFinish) return send(command, stream);
    end();
    return what().then(() => send(command, stream));
  };
}

function isOutcomeKey(argument: unknown): boolean {
  return typeof argument === 'string' && argument.includes(':exported:');
}

async function request(): Promise<string> {
  return exports.request(ref, { key: writeBundleKey(await newBundleKey({ passphrase })), standsMs: 30_000 });
}

function outcomeOf(id: string): Promise<ExportOutcome> {
  return waitFor(() => exports.outcomeOf(ref, id), { what: 'the outcome', timeoutMs: 10_000 });
}

async function untilReleased(): Promise<void> {
  const isReleased = async () => (await directory.require(ref)).worker === undefined;
  await waitFor(isReleased, { what: 'the release', timeoutMs: 10_000 });
}

describe('a session that is to be handed out', () => {
  it('is sealed, closed and released by the worker that claims it, without a connection', async () => {
    const { device } = await importLinked();
    const id = await request();
    await sessions.assign(ref, undefined);
    const outcome = await outcomeOf(id);
    const bundle = 'bundle' in outcome ? outcome.bundle : Buffer.alloc(0);
    const read = await openBundle(bundle, { passphrase });
    expect(read.device).toBe(device);
    expect(read.session.keys.get('pre-key')?.size).toBe(3);
    await untilReleased();
    expect(await directory.get(ref)).toMatchObject({ status: 'closed', reason: 'exported' });
    expect(sessions.count).toBe(0);
    const { events } = await new EventLog(redis).read(ref.tenantId, { after: undefined, count: 10 });
    expect(events.map(({ body }) => JSON.parse(String(body)))).toMatchObject([
      { sessionId: 'shop', connection: 'close', status: 'closed', reason: 'exported' },
    ]);
  });

  it('is opened first if a worker has died before it published a message', async () => {
    await importLinked();
    const credentials = `wf:{${ref.tenantId}}:auth:${ref.sessionId}`;
    const row = cipher.sessionScope(ref).seal(Buffer.from('"a row"'), 'inbox:1');
    await redis.hset(credentials, { 'inbox:1': row, 'inbox:2': 'sealed with a key that is lost' });
    const first = await request();
    await sessions.assign(ref, undefined);
    expect(await outcomeOf(first)).toEqual({ failure: 'unfinished' });
    await waitFor(async () => (await redis.hexists(credentials, 'inbox:1')) === 0, {
      what: 'the row is gone',
    });
    const isOpen = async () => (await directory.require(ref)).status === 'open';
    await waitFor(isOpen, { what: 'the session open', timeoutMs: 10_000 });
    const second = await request();
    await sessions.release(ref, 'moved');
    await sessions.assign(ref, undefined);
    expect(await outcomeOf(second)).toHaveProperty('bundle');
    await untilReleased();
  });

  it('is not opened by a worker that comes too late', async () => {
    await importLinked();
    const id = await request();
    await sessions.assign(ref, undefined);
    await outcomeOf(id);
    await untilReleased();
    await expect(sessions.assign(ref, undefined)).rejects.toMatchObject({ code: 'NO_WORKER' });
    expect((await directory.require(ref)).worker).toBeUndefined();
    expect(sessions.count).toBe(0);
  });

  it('is handed out once, however often the worker is asked for it meanwhile', async () => {
    await importLinked();
    const id = await request();
    const epochs: (number | undefined)[] = [];
    const ownership = new Ownership(redis);
    beforeHandedOut(async () => {
      expect(sessions.has(ref)).toBe(true);
      epochs.push((await ownership.read(ref))?.epoch);
      await sessions.assign(ref, undefined);
      await expect(sessions.release(ref, 'moved')).rejects.toBeInstanceOf(NotOwnerError);
      epochs.push((await ownership.read(ref))?.epoch);
    });
    await sessions.assign(ref, undefined);
    expect(await outcomeOf(id)).toHaveProperty('bundle');
    expect(epochs).toEqual([1, 1]);
    await untilReleased();
    expect(sessions.has(ref)).toBe(false);
  });

  it('goes on if the export was taken back meanwhile', async () => {
    const { phone } = await importLinked();
    const id = await request();
    beforeHandedOut(() => exports.cancel(ref, id));
    await sessions.assign(ref, undefined);
    const isOpen = async () => (await directory.require(ref)).status === 'open';
    await waitFor(isOpen, { what: 'the session open', timeoutMs: 10_000 });
    expect(await exports.outcomeOf(ref, id)).toBeUndefined();
    expect(phone.devices.size).toBe(1);
    sessions.discardAll();
  });

  it('is handed out for the next one who asks, if the first has taken it back meanwhile', async () => {
    await importLinked();
    const first = await request();
    let second = '';
    beforeHandedOut(async () => {
      await exports.cancel(ref, first);
      second = await request();
    });
    await sessions.assign(ref, undefined);
    await untilReleased();
    expect(await exports.outcomeOf(ref, second)).toHaveProperty('bundle');
    expect(await exports.outcomeOf(ref, first)).toBeUndefined();
  });

  it('is logged out and removed, and not handed out, if that was noted meanwhile', async () => {
    const { phone } = await importLinked();
    const id = await request();
    let unlinking: Promise<unknown> = Promise.resolve();
    beforeHandedOut(async () => {
      await directory.markRemoval(ref, { patienceMs: 60_000 });
      unlinking = sessions.unlink(ref);
    });
    await sessions.assign(ref, undefined);
    const isGone = async () => (await directory.get(ref)) === undefined;
    await waitFor(isGone, { what: 'the removal', timeoutMs: 10_000 });
    expect(await unlinking).toEqual({ isUnlinked: true });
    expect(await exports.outcomeOf(ref, id)).toBeUndefined();
    expect(phone.devices.size).toBe(0);
  });

  it('is waited for by a drain, which leaves it to others if it was not handed out', async () => {
    await importLinked();
    const id = await request();
    let drained: Promise<void> = Promise.resolve();
    beforeHandedOut(async () => {
      drained = sessions.drain(10_000);
      await exports.cancel(ref, id);
    });
    await sessions.assign(ref, undefined);
    await untilReleased();
    await drained;
    expect(await directory.get(ref)).toMatchObject({ status: 'queued', desired: 'open' });
    expect(sessions.count).toBe(0);
  });

  it('goes on if it is not linked', async () => {
    await directory.create(ref);
    const id = await request();
    await sessions.assign(ref, undefined);
    const outcome = await outcomeOf(id);
    expect(outcome).toMatchObject({ failure: expect.any(String) });
    await waitFor(() => sessions.has(ref), { what: 'the session', timeoutMs: 10_000 });
    sessions.discardAll();
  });
});
