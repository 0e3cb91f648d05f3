import { createLogger } from '@wafleet/runtime';
import { connectRedis, Ownership, type RedisConnection } from '@wafleet/store';
import {
  type Cluster,
  listSessions,
  type ReplicatedRedis,
  startCluster,
  startReplicatedRedis,
  type TestTenant,
  waitFor,
} from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { type LinkedSession, linkedAnew, linkSessions } from '../support/linked-sessions.js';
import { report } from '../support/report.js';
import { Traffic } from '../support/traffic.js';

/**
 * The primary dies right after a takeover. The replica that Sentinel promotes does not have the claims: there the
 * sessions still belong to the dead worker. Then the old primary comes back, with the claims that were lost.
 */
const SESSIONS = Number(process.env.SCENARIO_SESSIONS ?? 10);

let redis: ReplicatedRedis | undefined;
let cluster: Cluster | undefined;
let traffic: Traffic | undefined;
let connection: RedisConnection | undefined;

afterEach(async () => {
  await traffic?.close();
  await cluster?.stop();
  connection?.disconnect();
  await redis?.stop();
});

/** The epoch of each session's owner record. */
function epochs(connection: RedisConnection, tenant: TestTenant, sessions: readonly LinkedSession[]) {
  const ownership = new Ownership(connection);
  return Promise.all(
    sessions.map(
      async ({ id }) => (await ownership.read({ tenantId: tenant.id, sessionId: id }))?.epoch ?? 0,
    ),
  );
}

/** Output of the processes that is not a line of their logs. */
function strayOutput({ edges, placers, workers }: Cluster): unknown[] {
  const processes = [...edges.map(({ process }) => process), ...placers, ...workers];
  return processes.flatMap(({ logs }) => logs.filter(({ level }) => level === undefined));
}

test('a failover that forgets the last claims costs a login, and no worker writes under a lost claim', async () => {
  redis = await startReplicatedRedis();
  const { primary, replica } = redis;
  const logger = createLogger({ app: 'scenario', level: 'silent' });
  connection = connectRedis({ url: redis.url, role: 'command', name: 'scenario', logger });
  const environment = { PLACEMENTS_PER_SECOND: '50', CONNECTS_PER_SECOND: '50' };
  cluster = await startCluster({ workers: 1, redis: { ...primary, url: redis.url }, environment });
  const tenant = await cluster.addTenant();
  const sessions = await linkSessions(cluster, tenant, SESSIONS);
  const [first] = cluster.workers;
  const second = await cluster.addWorker();
  const owners = async () => {
    const listed = await listSessions(tenant.client);
    return listed.map(({ status, worker }) => (status === 'open' ? worker : undefined));
  };
  const logins = () =>
    sessions.map(({ phone, deviceId }) => phone.devices.get(deviceId)?.loginRecord.logins ?? 0);
  const loginsSince = (before: readonly number[]) =>
    logins().map((count, index) => count - (before[index] ?? 0));
  const sendFromAll = async (text: string) => {
    for (const { id, phone } of sessions) {
      const peer = cluster?.simulator.addPhone({ name: `Peer of ${phone.name}` });
      const { messageId } = await tenant.client.call('send-message', {
        params: { id },
        body: { to: peer?.number ?? '', text },
      });
      await peer?.waitForMessage((message) => message.id === messageId);
    }
  };
  const [firstId] = await owners();
  const known = await epochs(connection, tenant, sessions);

  await redis.stopReplication();
  await primary.command('SET', 'written-before-the-claims', 'yes');
  await first?.kill();
  const allMoved = async () => (await owners()).every((owner) => owner !== undefined && owner !== firstId);
  await waitFor(allMoved, { what: 'all sessions taken over', timeoutMs: 60_000, intervalMs: 100 });
  const takenOver = logins();

  const failedOverAt = performance.now();
  await redis.failOver();
  const electedMs = Math.round(performance.now() - failedOverAt);
  expect(await replica.command('EXISTS', 'written-before-the-claims')).toBe(':0\r\n');
  const allBack = async () => loginsSince(takenOver).every((count) => count > 0) && (await allMoved());
  await waitFor(allBack, { what: 'all sessions claimed and open again', timeoutMs: 60_000, intervalMs: 100 });
  const reopenedMs = Math.round(performance.now() - failedOverAt);

  traffic = await Traffic.start({ cluster, tenant, sessions });
  await traffic.flows();
  const relogins = loginsSince(takenOver);
  const claims = (await epochs(connection, tenant, sessions)).map(
    (epoch, index) => epoch - (known[index] ?? 0),
  );
  await sendFromAll('after the failover');

  const beforeReturn = logins();
  const returnedAt = performance.now();
  await primary.restart();
  await waitFor(
    async () => (await primary.command('INFO', 'replication')).includes('master_link_status:up'),
    {
      what: 'the old primary as a replica',
      timeoutMs: 120_000,
      intervalMs: 100,
    },
  );
  const returnedMs = Math.round(performance.now() - returnedAt);
  await traffic.flows();
  const { sent } = await traffic.finish();
  await sendFromAll('after the return of the old primary');
  report('redis-fails-over', {
    sessions: SESSIONS,
    electedMs,
    reopenedMs,
    relogins,
    claims,
    returnedMs,
    sent,
  });

  expect(linkedAnew(sessions), 'sessions that were linked again').toEqual([]);
  expect(Math.max(...relogins), 'logins by the failover').toBeLessThanOrEqual(2);
  expect(Math.min(...claims), 'claims since what the replica knew').toBeGreaterThanOrEqual(1);
  expect(loginsSince(beforeReturn), 'logins by the return').toEqual(sessions.map(() => 0));
  expect(second.running).toBe(true);
  expect(strayOutput(cluster)).toEqual([]);
});
