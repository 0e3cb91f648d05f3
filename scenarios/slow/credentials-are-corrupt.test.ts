import { createLogger } from '@wafleet/runtime';
import { connectRedis } from '@wafleet/store';
import { type Cluster, startCluster, type TestTenant, waitForStatus } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { linkedAnew, linkSessions } from '../support/linked-sessions.js';
import { Traffic } from '../support/traffic.js';

/** The credentials of one session are damaged. It fails once, with a visible reason. The others are not affected. */
let cluster: Cluster | undefined;
let traffic: Traffic | undefined;

afterEach(async () => {
  await traffic?.close();
  await cluster?.stop();
});

async function damageCredentials({ redis }: Cluster, tenant: TestTenant, sessionId: string): Promise<void> {
  const logger = createLogger({ app: 'scenario', level: 'silent' });
  const connection = connectRedis({ url: redis.url, role: 'command', name: 'scenario', logger });
  await connection.hset(`wf:{${tenant.id}}:auth:${sessionId}`, 'creds', 'damaged');
  await connection.quit();
}

test('it is failed with a reason, also after a restart, and the others go on', async () => {
  cluster = await startCluster();
  const tenant = await cluster.addTenant();
  const { client } = tenant;
  const [broken, ...sound] = await linkSessions(cluster, tenant, 3);
  if (broken === undefined) throw new Error('no session was linked');
  traffic = await Traffic.start({ cluster, tenant, sessions: sound });

  await damageCredentials(cluster, tenant, broken.id);
  const [leaving] = cluster.workers;
  await cluster.addWorker();
  await leaving?.stop();

  const isFailed = () => waitForStatus(client, broken.id, 'failed', 60_000);
  const failed = await isFailed();
  expect(failed).toMatchObject({ reason: 'credentials-unreadable' });
  expect(failed.worker).toBeUndefined();
  await traffic.flows();

  // A restart tries once and fails with the same reason.
  const failures = () =>
    traffic?.events
      .payloads('connection.update')
      .filter(({ sessionId, status }) => sessionId === broken.id && status === 'failed').length ?? 0;
  const before = failures();
  await client.call('restart-session', { params: { id: broken.id } });
  await traffic.events.waitForEvent('connection.update', () => failures() > before, { timeoutMs: 60_000 });
  await isFailed();
  await traffic.flows();
  expect(failures()).toBe(before + 1);
  expect((await client.call('get-session', { params: { id: broken.id } })).status).toBe('failed');

  await traffic.finish();
  expect(linkedAnew(sound), 'sessions that were linked again').toEqual([]);
});
