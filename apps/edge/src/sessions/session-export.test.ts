import { PlacementQueue } from '@wafleet/placement';
import { createLogger } from '@wafleet/runtime';
import { BUNDLE_LIMITS } from '@wafleet/session-bundle';
import {
  Cipher,
  CommandClient,
  connectRedis,
  type Fence,
  Ownership,
  type RedisConnection,
  type RedisRole,
  SessionExports,
  type SessionRecord,
  verifyEncryptionKey,
  WorkerRegistry,
} from '@wafleet/store';
import type { Handle, TestWorker } from '@wafleet/store/testing';
import { LossyPort, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { handOut } from '../testing/hand-out.js';
import { errorAnswer } from '../testing/raw-request.js';
import { SessionExport } from './session-export.js';
import { WorkerRequests } from './worker-requests.js';

const fixture = useCluster();
const logger = createLogger({ app: 'test', level: 'silent' });
const cipher = Cipher.fromHexKeys('07'.repeat(32));
/** A client that waits. */
const patient = new AbortController().signal;
const passphrase = 'correct horse battery';
const EXPORT = 'POST /api/sessions/shop-1/export';
const connections: RedisConnection[] = [];
let worker: TestWorker;
let fence: Fence;

beforeAll(async () => {
  await verifyEncryptionKey(fixture.cluster.connection, cipher);
});

afterAll(() => {
  for (const connection of connections) connection.disconnect();
});

beforeEach(async () => {
  worker = await fixture.cluster.startWorker();
  fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
  await worker.sessions.setStatus(fence, { status: 'open', phone: '15551230001' });
});

function connect(role: RedisRole, url = fixture.cluster.redis.url): RedisConnection {
  const connection = connectRedis({ url, role, name: `test:${role}`, logger });
  connections.push(connection);
  return connection;
}

/** An edge that waits for less time, and has a connection of its own for what it does with the export. */
async function exporterWith(times: { withinMs: number; standsMs: number }, url?: string) {
  const { connection: redis, sessions } = fixture.cluster;
  const client = new CommandClient({
    redis,
    subscriber: connect('subscriber'),
    clientId: 'edge_test',
    logger,
  });
  await client.start();
  const placement = new PlacementQueue({ connection: connect('queue'), logger });
  const own = connect('command', url);
  const exporter = new SessionExport({
    ...{ sessions, logger, times },
    workers: new WorkerRegistry(redis),
    requests: new WorkerRequests({ client, placement, logger }),
    exports: new SessionExports(own),
  });
  return { exporter, own };
}

const handle = (what: Handle) => {
  worker.handle = what;
};
const whenReleased = (what: () => Promise<unknown>) =>
  handle(async ({ kind }) => {
    if (kind === 'release') await what();
    return {};
  });
const handOutHere = () => handOut(fence, { redis: fixture.cluster.connection, cipher });
const recordOf = () => fixture.cluster.sessions.require(fence);
const isNoted = async () => (await recordOf()).exportRequest !== undefined;

describe('an export', () => {
  it('closes the session and is answered with the bundle, which does not stay in Redis', async () => {
    whenReleased(handOutHere);
    const answer = await fixture.send(EXPORT, { passphrase });
    expect(answer).toMatchObject({ status: 200, body: { device: '15551230001:1' } });
    expect(await recordOf()).toMatchObject({ status: 'closed', reason: 'exported' });
    expect(await fixture.cluster.connection.keys('*:exported:*')).toEqual([]);
  });

  it('is refused before anything happens if the session has more than an import takes', async () => {
    const { connection } = fixture.cluster;
    const script = `for i = 1, ARGV[1] do redis.call('HSET', KEYS[1], 'lid-mapping:' .. i, 'x') end`;
    const key = `wf:{${fence.tenantId}}:auth:shop-1`;
    await connection.eval(script, 1, key, BUNDLE_LIMITS.records + 1);
    const before = await recordOf();
    expect(await fixture.send(EXPORT, { passphrase })).toMatchObject(errorAnswer(422, 'SESSION_TOO_LARGE'));
    await connection.del(key);
    await connection.hset(key, 'session:1.0', Buffer.alloc(BUNDLE_LIMITS.bytes));
    expect(await fixture.send(EXPORT, { passphrase })).toMatchObject({
      status: 422,
      body: { error: { details: { records: 200_000, bytes: 32 * 1024 * 1024 } } },
    });
    expect(await recordOf()).toEqual(before);
    expect(worker.received).toEqual([]);
  });

  it('waits its turn while the edge hands out as much as it can', async () => {
    const { connection } = fixture.cluster;
    const { tenantId } = fence;
    const ids = ['shop-1', 'shop-2', 'shop-3'];
    for (const id of ids) {
      const own = id === 'shop-1' ? fence : await worker.own(tenantId, id);
      await worker.sessions.setStatus(own, { status: 'open', phone: '15551230001' });
      const size = (BUNDLE_LIMITS.bytes * 9) / 10;
      await connection.hset(`wf:{${tenantId}}:auth:${id}`, 'session:1.0', Buffer.alloc(size));
    }
    const { exporter } = await exporterWith({ withinMs: 1_000, standsMs: 60_000 });
    const codes = ids.map((sessionId) =>
      exporter.export({ tenantId, sessionId }, { passphrase }, patient).catch(({ code }) => code),
    );
    expect((await Promise.all(codes)).sort()).toEqual(['NO_WORKER', 'NO_WORKER', 'UNAVAILABLE']);
    // Those that ended make room.
    await expect(exporter.export(fence, { passphrase }, patient)).rejects.toMatchObject({
      code: 'NO_WORKER',
    });
  });

  it('ends at once when the session is to be removed meanwhile', async () => {
    whenReleased(() => fixture.cluster.sessions.markRemoval(fence, { patienceMs: 60_000 }));
    expect(await fixture.send(EXPORT, { passphrase })).toMatchObject(errorAnswer(409, 'NOT_LINKED'));
    expect(await fixture.send(EXPORT, { passphrase })).toMatchObject(errorAnswer(409, 'NOT_LINKED'));
    expect(await handOutHere()).toBe(false);
    expect(await recordOf()).toMatchObject({ status: 'open', desired: 'open' });
  });

  it('ends at once when the session is removed meanwhile', async () => {
    whenReleased(() => fixture.cluster.sessions.purge(fence));
    expect(await fixture.send(EXPORT, { passphrase })).toMatchObject(errorAnswer(404, 'SESSION_NOT_FOUND'));
  });

  it('leaves the session alone when the client goes before it has the bundle', async () => {
    const client = new AbortController();
    const url = `${fixture.edge.url}/api/sessions/shop-1/export`;
    const headers = { 'x-api-key': fixture.tenant.key, 'content-type': 'application/json' };
    const { signal } = client;
    const calling = fetch(url, { method: 'POST', headers, body: JSON.stringify({ passphrase }), signal });
    const failed = expect(calling).rejects.toThrow();
    await waitFor(isNoted, { what: 'the export' });
    client.abort();
    await failed;
    await waitFor(async () => !(await isNoted()), { what: 'the end of the export' });
    expect(await handOutHere()).toBe(false);
    expect(await recordOf()).toMatchObject({ status: 'open', desired: 'open' });
  });

  it('leaves the session alone when no worker takes it in time', async () => {
    const { exporter } = await exporterWith({ withinMs: 200, standsMs: 60_000 });
    await expect(exporter.export(fence, { passphrase }, patient)).rejects.toMatchObject({
      code: 'NO_WORKER',
    });
    expect(await isNoted()).toBe(false);
    expect(await recordOf()).toMatchObject({ status: 'open', desired: 'open' });
  });

  it('gives the bundle that a worker has made at the last moment, before it could be taken back', async () => {
    const { exporter, own } = await exporterWith({ withinMs: 0, standsMs: 60_000 });
    const send = own.sendCommand.bind(own);
    own.sendCommand = (command, stream) => {
      // A script with one key and one argument: cancel-export.
      const isCancel = command.name.startsWith('eval') && command.args.length === 4;
      return isCancel ? handOutHere().then(() => send(command, stream)) : send(command, stream);
    };
    expect(await exporter.export(fence, { passphrase }, patient)).toMatchObject({ device: '15551230001:1' });
    expect(await recordOf()).toMatchObject({ status: 'closed', reason: 'exported' });
  });

  it('is answered with the bundle although the first answer of Redis with it was lost', async () => {
    const lossy = await LossyPort.open(fixture.cluster.redis.port);
    onTestFinished(() => lossy.close());
    const url = `redis://127.0.0.1:${lossy.port}`;
    const { exporter } = await exporterWith({ withinMs: 10_000, standsMs: 60_000 }, url);
    whenReleased(async () => {
      await handOutHere();
      lossy.loseAnswer(':exported:shop-1:', 'cut');
    });
    expect(await exporter.export(fence, { passphrase }, patient)).toMatchObject({ device: '15551230001:1' });
  });

  it('does not outlive an edge that loses its connection for good', async () => {
    const { exporter, own } = await exporterWith({ withinMs: 300, standsMs: 100 });
    whenReleased(async () => own.disconnect());
    await expect(exporter.export(fence, { passphrase }, patient)).rejects.toMatchObject({
      code: 'NO_WORKER',
    });
    const isOver = ({ exportRequest, readAt = 0 }: SessionRecord) =>
      exportRequest !== undefined && exportRequest.by < readAt;
    await waitFor(async () => isOver(await recordOf()), { what: 'the end of the export' });
    expect(await handOutHere()).toBe(false);
    expect(await recordOf()).toMatchObject({ status: 'open', desired: 'open' });
  });
});

describe('the removal of a session that was handed out', () => {
  it('leaves its device alone', async () => {
    whenReleased(async () => {
      await handOutHere();
      await new Ownership(fixture.cluster.connection).release(fence);
    });
    await fixture.send(EXPORT, { passphrase });
    const received = worker.received.length;
    expect(await fixture.send('DELETE /api/sessions/shop-1')).toMatchObject({
      status: 200,
      body: { removal: 'still-listed' },
    });
    expect(worker.received).toHaveLength(received);
    expect(await fixture.cluster.sessions.get(fence)).toBeUndefined();
  });
});
