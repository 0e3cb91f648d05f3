import { Placer } from '@wafleet/placement';
import { createLogger } from '@wafleet/runtime';
import { CommandClient, connectRedis, type RedisRole, WorkerRegistry } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../testing/rest-client.js';
import { TestCluster } from '../testing/test-cluster.js';
import type { TestEdge } from '../testing/test-edge.js';

let cluster: TestCluster;
let edge: TestEdge;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start();
  edge = await cluster.startEdge();
});
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
  await cluster.stop();
});

async function startPlacer(): Promise<void> {
  const logger = createLogger({ app: 'placer', level: 'silent' });
  const connect = (role: RedisRole) => {
    const connection = connectRedis({ url: cluster.redis.url, role, name: `placer:${role}`, logger });
    ends.push(() => connection.disconnect());
    return connection;
  };
  const { connection: redis, sessions } = cluster;
  const commands = new CommandClient({
    redis,
    subscriber: connect('subscriber'),
    clientId: 'placer_test',
    logger,
  });
  await commands.start();
  ends.push(() => commands.stop());
  const placer = new Placer({
    connection: connect('queue'),
    sessions,
    workers: new WorkerRegistry(redis),
    commands,
    logger,
    placementsPerSecond: 100,
  });
  await placer.start();
  ends.push(() => placer.stop());
}

describe('a session that was made', () => {
  it('is given to a worker', async () => {
    await startPlacer();
    const worker = await cluster.startWorker();
    const { tenantId, key } = await cluster.createTenant();

    await call(edge.url, 'POST /api/sessions', { key, body: { id: 'shop-1' } });

    await waitFor(() => worker.received.length > 0, { what: 'the worker is assigned the session' });
    expect(worker.received).toMatchObject([{ kind: 'assign', tenantId, sessionId: 'shop-1' }]);
    await waitFor(async () => (await cluster.sessions.get({ tenantId, sessionId: 'shop-1' }))?.worker, {
      what: 'the session has an owner',
    });
  });
});
