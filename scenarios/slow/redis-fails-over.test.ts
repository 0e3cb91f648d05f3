import { createLogger } from '@wafleet/runtime';
import { connectRedis, type RedisConnection } from '@wafleet/store';
import {
  type Cluster,
  SeverablePort,
  startCluster,
  startRedis,
  type TestRedis,
  waitFor,
} from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { linkedAnew, linkSessions } from '../support/linked-sessions.js';
import { report } from '../support/report.js';
import { Traffic } from '../support/traffic.js';

/**
 * The primary dies right after a takeover, and the replica that takes its place has not got the claims: to it the
 * sessions still belong to the dead worker. This is what Sentinel does to clients, without the election.
 */
const SESSIONS = Number(process.env.SCENARIO_SESSIONS ?? 10);

let cluster: Cluster | undefined;
let traffic: Traffic | undefined;
let address: SeverablePort | undefined;
let servers: TestRedis[] = [];
let connections: RedisConnection[] = [];

afterEach(async () => {
  await traffic?.close();
  await cluster?.stop();
  for (const connection of connections) connection.disconnect();
  connections = [];
  await address?.close();
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
});

function connectTo({ url }: TestRedis): RedisConnection {
  const logger = createLogger({ app: 'scenario', level: 'silent' });
  const connection = connectRedis({ url, role: 'command', name: 'scenario', logger });
  connections.push(connection);
  return connection;
}

test('a failover that forgets the last claims costs a login, and nobody writes under a lost claim', async () => {
  const [primary, replica] = [await startRedis(), await startRedis()];
  servers = [primary, replica];
  const [onPrimary, onReplica] = [connectTo(primary), connectTo(replica)];
  await onReplica.replicaof('127.0.0.1', primary.port);
  address = await SeverablePort.open(primary.port);
  const redis = { ...primary, url: `redis://127.0.0.1:${address.port}`, port: address.port };
  const environment = { PLACEMENTS_PER_SECOND: '50', CONNECTS_PER_SECOND: '50' };
  cluster = await startCluster({ workers: 1, redis, environment });
  const tenant = await cluster.addTenant();
  const sessions = await linkSessions(cluster, tenant, SESSIONS);
  const [first] = cluster.workers;
  await cluster.addWorker();
  const owners = async () => {
    const listed = await tenant.client.listSessions();
    return listed.map(({ status, worker }) => (status === 'open' ? worker : undefined));
  };
  const [firstId] = await owners();

  await waitFor(async () => (await onPrimary.wait(1, 1_000)) === 1, { what: 'the replica up to date' });
  await onReplica.replicaof('NO', 'ONE');
  await first?.kill();
  const allMoved = async () => (await owners()).every((owner) => owner !== undefined && owner !== firstId);
  await waitFor(allMoved, { what: 'all sessions taken over', timeoutMs: 60_000, intervalMs: 100 });
  const logins = () => sessions.map(({ phone, deviceId }) => phone.devices.get(deviceId)?.loginRecord);
  const before = logins().map((record) => record?.logins ?? 0);

  const failedOverAt = performance.now();
  await primary.kill();
  address.moveTo(replica.port);
  const forgotten = await onReplica.hget(`wf:{${tenant.id}}:owner:${sessions[0]?.id}`, 'worker');
  expect(forgotten, 'the owner that the replica knows').toBe(firstId);
  await waitFor(allMoved, { what: 'all sessions claimed again', timeoutMs: 60_000, intervalMs: 100 });
  const reclaimedMs = Math.round(performance.now() - failedOverAt);

  traffic = await Traffic.start({ cluster, tenant, sessions });
  await traffic.flows();
  const summary = await traffic.finish();
  const relogins = logins().map((record, index) => (record?.logins ?? 0) - (before[index] ?? 0));
  report('redis-fails-over', { sessions: SESSIONS, reclaimedMs, relogins, sent: summary.sent });
  expect(linkedAnew(sessions), 'sessions that were linked anew').toEqual([]);
  expect(Math.max(...relogins)).toBeLessThanOrEqual(2);
  for (const { id, phone } of sessions) {
    const peer = cluster.simulator.addPhone({ name: `Peer of ${phone.name}` });
    const { messageId } = await tenant.client.sendText(id, peer.number, 'after the failover');
    await peer.waitForMessage((message) => message.id === messageId);
  }
});
