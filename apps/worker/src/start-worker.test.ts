import { randomBytes } from 'node:crypto';
import { createLogger, Lifecycle, Metrics } from '@wafleet/runtime';
import { type Phone, Simulator } from '@wafleet/simulator';
import {
  CommandClient,
  connectRedis,
  DrainTurns,
  EventLog,
  LinkOffers,
  NotOwnerError,
  Ownership,
  type RedisConnection,
  SessionDirectory,
  type SessionRecord,
  type SessionRef,
  SessionSettingsRecords,
  TenantDirectory,
  WorkerRegistry,
} from '@wafleet/store';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { environment } from './env.js';
import { startWorker } from './start-worker.js';

const logger = createLogger({ app: 'worker-test', level: 'silent' });
const encryptionKey = randomBytes(32).toString('hex');
const simulator = new Simulator();

let redisServer: TestRedis;
let redis: RedisConnection;
let subscriber: RedisConnection;
let commands: CommandClient;
let directory: SessionDirectory;
let registry: WorkerRegistry;
let tenantId: string;
const lifecycles: Lifecycle[] = [];

beforeAll(async () => {
  [redisServer] = await Promise.all([startRedis(), simulator.start()]);
  const connect = (role: 'command' | 'subscriber') =>
    connectRedis({ url: redisServer.url, role, name: 'test', logger });
  redis = connect('command');
  subscriber = connect('subscriber');
  commands = new CommandClient({ redis, subscriber, clientId: 'test', logger });
  await commands.start();
  directory = new SessionDirectory(redis);
  registry = new WorkerRegistry(redis);
  tenantId = (await new TenantDirectory(redis).create('Acme')).id;
});

afterAll(async () => {
  // All at once: one that stops alone waits for others to take its sessions, and no placer runs here.
  await Promise.all(lifecycles.map((lifecycle) => lifecycle.stop()));
  await commands.stop();
  redis.disconnect();
  subscriber.disconnect();
  await Promise.all([simulator.stop(), redisServer.stop()]);
});

async function newWorker(overrides: Record<string, string> = {}) {
  const lifecycle = new Lifecycle(logger);
  lifecycles.push(lifecycle);
  const values = environment.parse({
    REDIS_URL: redisServer.url,
    HOST: '127.0.0.1',
    HEALTH_PORT: '0',
    ENCRYPTION_KEY: encryptionKey,
    WHATSAPP_URL: simulator.url,
    WHATSAPP_ROOT_KEY: simulator.rootKey,
    ...overrides,
  });
  const metrics = new Metrics();
  const { worker, healthPort } = await startWorker({ environment: values, logger, lifecycle, metrics });
  const idOf = () => {
    if (worker.id === undefined) throw new Error('the worker has no incarnation');
    return worker.id;
  };
  return { worker, idOf, healthPort, lifecycle, metrics };
}

async function newSession(): Promise<SessionRef> {
  const ref = { tenantId, sessionId: randomBytes(6).toString('hex') };
  await directory.create(ref);
  return ref;
}

function assign(workerId: string, ref: SessionRef, expectPrevious?: string) {
  const evidence = expectPrevious === undefined ? {} : { expectPrevious };
  return commands.call(workerId, { kind: 'assign', ...ref, ...evidence }, { deadlineMs: 5_000 });
}

function reaches(ref: SessionRef, status: SessionRecord['status']): Promise<SessionRecord> {
  return waitFor(
    async () => {
      const record = await directory.require(ref);
      return record.status === status ? record : undefined;
    },
    { what: `status ${status}` },
  );
}

async function link(ref: SessionRef, phone: Phone): Promise<void> {
  const offer = await waitFor(() => new LinkOffers(redis).getQr(ref), { what: 'a QR code' });
  await phone.scan(offer.qr);
  await reaches(ref, 'open');
}

test('it takes a session, links it, sends for it, and hands it over when it stops', async () => {
  const first = await newWorker();
  const ref = await newSession();
  const phone = simulator.addPhone({ name: 'Anna' });
  const carl = simulator.addPhone({ name: 'Carl' });
  expect(await assign(first.idOf(), ref)).toEqual({ sessions: 1 });
  expect(await assign(first.idOf(), ref)).toEqual({ sessions: 1 });
  await link(ref, phone);
  expect((await directory.require(ref)).worker).toBe(first.idOf());

  const text = { kind: 'send-text', ...ref, messageId: 'AB12', to: carl.number, text: 'hi' } as const;
  expect(await commands.call(first.idOf(), text, { deadlineMs: 5_000 })).toEqual({ messageId: 'AB12' });
  expect((await carl.waitForMessage((message) => message.text === 'hi')).id).toBe('AB12');

  const before = Date.now();
  await carl.send(phone, { text: 'noted' });
  const noted = await waitFor(
    async () => {
      const { lastStanzaAt = 0, lastMessageAt } = await directory.require(ref);
      return lastStanzaAt > 0 ? { lastStanzaAt, lastMessageAt } : undefined;
    },
    { what: 'when something came is in the directory' },
  );
  expect(noted.lastStanzaAt).toBeGreaterThan(before - 60_000);
  expect(await first.metrics.text()).toContain('wafleet_worker_open_sessions{last_stanza="1m"} 1');

  const firstId = first.idOf();
  await first.lifecycle.stop();
  const queued = await directory.require(ref);
  expect(queued).toMatchObject({ status: 'queued', reason: 'drain' });
  expect(queued.worker).toBeUndefined();
  expect(await registry.aliveIds([firstId])).toEqual(new Set());

  await carl.send(phone, { text: 'between two workers' });
  const second = await newWorker();
  await assign(second.idOf(), ref);
  await reaches(ref, 'open');
  await waitFor(
    async () => {
      const { events } = await new EventLog(redis).read(tenantId, {
        after: undefined,
        count: 10_000,
      });
      return events.some(({ body }) => body.includes('between two workers'));
    },
    { what: 'the message of meanwhile' },
  );
});

test('commands for a session that it does not own are refused as such', async () => {
  const { idOf } = await newWorker();
  const ref = await newSession();
  const release = commands.call(idOf(), { kind: 'release', ...ref }, { deadlineMs: 5_000 });
  await expect(release).rejects.toBeInstanceOf(NotOwnerError);
});

test('a command for a session that is being claimed waits for the claim', async () => {
  const { idOf } = await newWorker();
  const ref = await newSession();
  const request = { kind: 'pairing-code', ...ref, phone: '15550001001' } as const;
  const [, { code }] = await Promise.all([
    assign(idOf(), ref),
    commands.call(idOf(), request, { deadlineMs: 5_000 }),
  ]);
  expect(code).toHaveLength(8);
});

test('a full worker refuses, one with room takes over from a dead one', async () => {
  const { idOf } = await newWorker({ WORKER_CAPACITY: '1' });
  const [one, two] = [await newSession(), await newSession()];
  await assign(idOf(), one);
  await expect(assign(idOf(), two)).rejects.toMatchObject({ code: 'NO_WORKER' });

  const other = await newWorker();
  await expect(assign(other.idOf(), one)).rejects.toMatchObject({ code: 'NO_WORKER' });
  await assign(other.idOf(), one, idOf());
  expect((await directory.require(one)).worker).toBe(other.idOf());
});

test('a session with credentials that cannot be opened fails alone, and says why', async () => {
  const { idOf } = await newWorker();
  const [broken, sound] = [await newSession(), await newSession()];
  await redis.hset(`wf:{${tenantId}}:auth:${broken.sessionId}`, 'creds', 'no sealed value');
  await Promise.all([assign(idOf(), broken), assign(idOf(), sound)]);
  expect(await reaches(broken, 'failed')).toMatchObject({ reason: 'credentials-unreadable' });
  await reaches(sound, 'awaiting_link');
  await waitFor(async () => (await directory.require(broken)).worker === undefined, { what: 'its release' });
});

test('a session that Redis says the worker owns, and that it does not run, is given up', async () => {
  const { idOf, metrics } = await newWorker();
  const [stray, sound] = [await newSession(), await newSession()];
  await assign(idOf(), sound);
  await new Ownership(redis).claim(stray, { worker: idOf() });
  await waitFor(async () => (await directory.require(stray)).worker === undefined, { what: 'its release' });
  expect((await directory.require(sound)).worker).toBe(idOf());
  expect(await metrics.text()).toContain('wafleet_worker_stray_sessions_total 1');
});

test('a session follows a change of its settings whose notice was lost', async () => {
  const { idOf } = await newWorker();
  const ref = await newSession();
  await assign(idOf(), ref);
  await reaches(ref, 'awaiting_link');
  const shown = { kind: 'http', host: 'proxy.invalid', port: 3128, hasCredentials: false };
  const change = { plain: { proxy: shown }, proxy: 'http://proxy.invalid:3128' };
  expect(await new SessionSettingsRecords(redis).replace(ref, 0, change)).toBe(true);
  await waitFor(async () => (await directory.require(ref)).reason === 'proxy-unreachable', {
    what: 'a connect by the proxy',
  });
});

test('unlink logs out, wipes the keys and gives the session up', async () => {
  const { idOf } = await newWorker();
  const ref = await newSession();
  const phone = simulator.addPhone({ name: 'Berta' });
  await assign(idOf(), ref);
  await link(ref, phone);
  await commands.call(idOf(), { kind: 'unlink', ...ref }, { deadlineMs: 5_000 });
  const record = await directory.require(ref);
  expect(record.status).toBe('logged_out');
  expect(record.worker).toBeUndefined();
  await waitFor(() => phone.devices.size === 0, { what: 'the phone lists no device' });
});

test('an incarnation whose lease is lost closes its sockets, and the worker goes on as a new one', async () => {
  const { idOf, healthPort } = await newWorker();
  const ref = await newSession();
  const phone = simulator.addPhone({ name: 'Dora' });
  const dead = idOf();
  await assign(dead, ref);
  await link(ref, phone);
  const connections = simulator.connectionCount;

  await registry.releaseLease(dead);
  await waitFor(() => simulator.connectionCount < connections, { what: 'the socket is closed' });
  const alive = await waitFor(() => (idOf() === dead ? undefined : idOf()), { what: 'a new incarnation' });
  expect((await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status).toBe(200);
  await assign(alive, ref, dead);
  await reaches(ref, 'open');
});

test('a stop that has no time to hand sessions over says which, and leaves them to others', async () => {
  const { worker, idOf } = await newWorker();
  const ref = await newSession();
  const phone = simulator.addPhone({ name: 'Emil' });
  const leaving = idOf();
  await assign(leaving, ref);
  await link(ref, phone);

  await expect(worker.stop({ timeoutMs: 0 })).rejects.toThrow(
    `1 sessions were not handed over within 0 ms: ${tenantId}/${ref.sessionId}`,
  );
  expect(await registry.aliveIds([leaving])).toEqual(new Set());
  const other = await newWorker();
  await assign(other.idOf(), ref, leaving);
  await reaches(ref, 'open');
});

test('a stop whose worker loses its lease meanwhile ends in order', async () => {
  const { worker, idOf } = await newWorker();
  const ref = await newSession();
  await assign(idOf(), ref);
  // Another worker has the turn to drain, so this one waits.
  const other = { id: 'wrk_drains', host: 'test', release: '1.0.0', capacity: 10, sessions: 0 };
  await registry.acquireLease(other.id);
  await registry.beat({ ...other, draining: false, idlest: [], lifeline: undefined });
  const turns = new DrainTurns(redis);
  await turns.take(other.id, { timeLeftMs: 60_000 });
  const stopped = worker.stop({ timeoutMs: 60_000 });
  await registry.releaseLease(idOf());
  await expect(stopped).resolves.toBeUndefined();
  expect((await directory.require(ref)).worker).toBeDefined();
  await turns.giveBack(other.id);
  await registry.releaseLease(other.id);
});

test('of two workers with the same identity the second does not start, and says why', async () => {
  const { idOf, lifecycle } = await newWorker({ WORKER_ID: 'pod-1' });
  await expect(newWorker({ WORKER_ID: 'pod-1' })).rejects.toThrow(
    'another worker runs with WORKER_ID pod-1; give each worker one of its own, or none.',
  );
  expect(await registry.aliveIds([idOf()])).toEqual(new Set([idOf()]));
  await lifecycle.stop();
  await newWorker({ WORKER_ID: 'pod-1' });
});

test('a worker that follows one that crashed takes its identity over when the lease has run out', async () => {
  await registry.acquireLease('wrk_crashed', 'pod-2');
  await redis.pexpire('wf:{workers}:lease:wrk_crashed', 1_500);
  const { idOf } = await newWorker({ WORKER_ID: 'pod-2' });
  expect(await registry.aliveIds(['wrk_crashed', idOf()])).toEqual(new Set([idOf()]));
});
