import { Placer } from '@wafleet/placement';
import { createLogger } from '@wafleet/runtime';
import { CommandClient, connectRedis, type RedisRole, WorkerRegistry } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { afterAll, describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';

const fixture = useCluster();
const ends: (() => unknown)[] = [];

afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

async function startPlacer(): Promise<void> {
  const logger = createLogger({ app: 'placer', level: 'silent' });
  const connect = (role: RedisRole) => {
    const connection = connectRedis({ url: fixture.cluster.redis.url, role, name: `placer:${role}`, logger });
    ends.push(() => connection.disconnect());
    return connection;
  };
  const { connection: redis, sessions } = fixture.cluster;
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
    const worker = await fixture.cluster.startWorker();
    const { tenantId } = fixture.tenant;

    await fixture.client.call('create-session', { body: { id: 'shop-1' } });

    await waitFor(() => worker.received.length > 0, { what: 'the worker is assigned the session' });
    expect(worker.received).toMatchObject([{ kind: 'assign', tenantId, sessionId: 'shop-1' }]);
    await waitFor(
      async () => (await fixture.cluster.sessions.get({ tenantId, sessionId: 'shop-1' }))?.worker,
      {
        what: 'the session has an owner',
      },
    );
  });
});
