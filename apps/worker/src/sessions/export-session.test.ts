import { randomBytes } from 'node:crypto';
import { createLogger } from '@wafleet/runtime';
import { installPatches, quietLibsignal, trustRootKey } from '@wafleet/session';
import { newBundleKey, openBundle, writeBundleKey } from '@wafleet/session-bundle';
import { linkReadyCompanion, Simulator } from '@wafleet/simulator';
import {
  Cipher,
  connectRedis,
  EVENT_LOG_BOUNDS,
  EventLog,
  type ExportOutcome,
  type RedisConnection,
  SessionDirectory,
  SessionExports,
  SessionImports,
  type SessionRef,
  TenantDirectory,
  verifyEncryptionKey,
} from '@wafleet/store';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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

async function importLinked(): Promise<string> {
  const phone = simulator.addPhone({ name: 'Anna' });
  const { creds, preKeys } = linkReadyCompanion(phone, { preKeyCount: 3 });
  const device = `${phone.number}:1`;
  const keys = new Map([['pre-key', new Map<string, unknown>(Object.entries(preKeys))]]);
  const imports = new SessionImports({ redis, directory });
  await imports.create(ref, { creds, keys, phone: phone.number, device });
  return device;
}

async function request(): Promise<string> {
  return exports.request(ref, { key: writeBundleKey(await newBundleKey({ passphrase })), withinMs: 30_000 });
}

function outcomeOf(id: string): Promise<ExportOutcome> {
  return waitFor(() => exports.takeOutcome(ref, id), { what: 'the outcome', timeoutMs: 10_000 });
}

async function untilReleased(): Promise<void> {
  const isReleased = async () => (await directory.require(ref)).worker === undefined;
  await waitFor(isReleased, { what: 'the release', timeoutMs: 10_000 });
}

describe('a session that is to be handed out', () => {
  it('is sealed, closed and released by the worker that claims it, without a connection', async () => {
    const device = await importLinked();
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
