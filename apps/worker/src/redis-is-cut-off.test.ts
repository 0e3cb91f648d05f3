import { randomBytes } from 'node:crypto';
import { createLogger, Lifecycle, Metrics } from '@wafleet/runtime';
import { Simulator } from '@wafleet/simulator';
import {
  CommandClient,
  connectRedis,
  LinkOffers,
  Ownership,
  type RedisConnection,
  SessionDirectory,
  type SessionRef,
  TenantDirectory,
  WorkerRegistry,
} from '@wafleet/store';
import { SeverablePort, startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { environment } from './env.js';
import { startWorker } from './start-worker.js';

const logger = createLogger({ app: 'worker-test', level: 'silent' });
const simulator = new Simulator();
const lifecycle = new Lifecycle(logger);

let redisServer: TestRedis;
let network: SeverablePort;
let redis: RedisConnection;
let subscriber: RedisConnection;
let commands: CommandClient;

beforeAll(async () => {
  [redisServer] = await Promise.all([startRedis(), simulator.start()]);
  network = await SeverablePort.open(redisServer.port);
  const connectTo = (role: 'command' | 'subscriber') =>
    connectRedis({ url: redisServer.url, role, name: 'test', logger });
  redis = connectTo('command');
  subscriber = connectTo('subscriber');
  commands = new CommandClient({ redis, subscriber, clientId: 'test', logger });
  await commands.start();
});

afterAll(async () => {
  await lifecycle.stop();
  await commands.stop();
  redis.disconnect();
  subscriber.disconnect();
  await network.close();
  await Promise.all([simulator.stop(), redisServer.stop()]);
});

test('a worker that was cut off takes its lease again, keeps what is still its own, drops what is not, and claims what was forgotten', async () => {
  const directory = new SessionDirectory(redis);
  const { worker } = await startWorker({
    environment: environment.parse({
      REDIS_URL: `redis://127.0.0.1:${network.port}`,
      HOST: '127.0.0.1',
      HEALTH_PORT: '0',
      ENCRYPTION_KEY: randomBytes(32).toString('hex'),
      WHATSAPP_URL: simulator.url,
      WHATSAPP_ROOT_KEY: simulator.rootKey,
    }),
    logger,
    lifecycle,
    metrics: new Metrics(),
  });
  const workerId = worker.id;
  if (workerId === undefined) throw new Error('the worker has no incarnation');
  const { id: tenantId } = await new TenantDirectory(redis).create('Acme');

  async function linked(sessionId: string) {
    const ref: SessionRef = { tenantId, sessionId };
    await directory.create(ref);
    await commands.call(workerId ?? '', { kind: 'assign', ...ref }, { deadlineMs: 5_000 });
    const offer = await waitFor(() => new LinkOffers(redis).getQr(ref), { what: 'a QR code' });
    const phone = simulator.addPhone({ name: sessionId });
    await phone.scan(offer.qr);
    await waitFor(async () => (await directory.require(ref)).status === 'open', {
      what: `${sessionId} open`,
    });
    const [device] = phone.devices.values();
    if (device === undefined) throw new Error('the phone has no device');
    return { ref, device, logins: device.loginRecord.logins };
  }
  const kept = await linked('kept');
  const taken = await linked('taken');
  const forgotten = await linked('forgotten');

  network.sever();
  // What the rest of the cluster sees: the lease runs out, one session is claimed, one is shown without a worker.
  await redis.del(`wf:{workers}:lease:${workerId}`);
  const claim = await new Ownership(redis).claim(taken.ref, {
    worker: 'wrk_other',
    expectPrevious: workerId,
  });
  expect(claim).toHaveProperty('fence');
  await directory.markQueued(kept.ref, 'no worker has room', workerId);
  // The state after a failover to a Redis that lacks both the claim and the release before it.
  await redis.hset(`wf:{${tenantId}}:owner:forgotten`, { epoch: 0, worker: 'wrk_living' });
  await waitFor(() => !worker.isLeased, { what: 'the worker notices', timeoutMs: 20_000 });
  expect([kept, taken, forgotten].every(({ device }) => device.isOnline)).toBe(true);

  network.restore();
  await waitFor(() => worker.isLeased, { what: 'the worker is back' });
  await waitFor(() => !taken.device.isOnline, { what: 'the socket of the lost session closed' });
  await waitFor(async () => (await directory.require(kept.ref)).status === 'open', { what: 'its status' });
  expect(worker.id).toBe(workerId);
  expect(await new WorkerRegistry(redis).aliveIds([workerId])).toEqual(new Set([workerId]));
  expect(kept.device.isOnline).toBe(true);
  expect(kept.device.loginRecord.logins).toBe(kept.logins);
  expect((await directory.require(taken.ref)).worker).toBe('wrk_other');
  await waitFor(() => forgotten.device.loginRecord.logins === forgotten.logins + 1, {
    what: 'the session whose claim was forgotten connected again',
  });
  expect(await new Ownership(redis).read(forgotten.ref)).toEqual({ epoch: 1, worker: workerId });
});
