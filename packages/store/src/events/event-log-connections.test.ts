import { formatEventId } from '@wafleet/contract';
import { SeverablePort, startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connectRedis, type RedisConnection } from '../redis/connection.js';
import type { Fence } from '../redis/session-ref.js';
import { numbered } from '../testing/log-histories.js';
import { logger, ownedSession } from '../testing/redis-fixture.js';
import { EventLog } from './event-log.js';

/** Appends whose connection breaks, or whose server changes behind the connection, never get a position twice. */
let primary: TestRedis;
let replica: TestRedis;
const connections: RedisConnection[] = [];
const ports: SeverablePort[] = [];

beforeAll(async () => {
  [primary, replica] = await Promise.all([startRedis(), startRedis()]);
  // A server changes its replication id for its first replica.
  await copyServer(primary, replica);
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.disconnect();
  await Promise.all(ports.splice(0).map((port) => port.close()));
  for (const server of [primary, replica]) await server.command('REPLICAOF', 'NO', 'ONE');
});
afterAll(async () => {
  await Promise.all([primary, replica].map((server) => server.stop()));
});

function connect(port: number): RedisConnection {
  const url = `redis://127.0.0.1:${port}`;
  const connection = connectRedis({ url, role: 'command', name: 'test', logger });
  connections.push(connection);
  return connection;
}

async function openPort(target: TestRedis): Promise<SeverablePort> {
  const port = await SeverablePort.open(target.port);
  ports.push(port);
  return port;
}

/** Makes `copy` a replica of `original` that has everything, and promotes it. Later writes do not reach it. */
async function copyServer(original: TestRedis, copy: TestRedis): Promise<void> {
  await original.command('CONFIG', 'SET', 'repl-diskless-sync-delay', '0');
  await copy.command('REPLICAOF', '127.0.0.1', String(original.port));
  await waitFor(async () => (await original.command('WAIT', '1', '100')) === ':1\r\n', {
    what: 'a replica with everything',
    timeoutMs: 30_000,
  });
  await copy.command('REPLICAOF', 'NO', 'ONE');
}

/** A session in an empty primary, and its first event. */
async function sessionWithEvent(): Promise<Fence> {
  const redis = connect(primary.port);
  await redis.flushall();
  const fence = await ownedSession(redis, { tenantId: 'tnt_a', sessionId: 'shop' }, 'wrk_a');
  await new EventLog(redis).append(fence, [numbered(1)]);
  return fence;
}

test.each([
  ['knows the script', true],
  ['does not know the script', false],
])(
  'an append on its way to a server that is replaced gets a position of a new epoch; the replacement %s',
  async (_what, knowsScript) => {
    const fence = await sessionWithEvent();
    await copyServer(primary, replica);
    await replica.command('SCRIPT', 'FLUSH');
    const port = await openPort(primary);
    const redis = connect(port.port);
    const log = new EventLog(redis);
    await redis.ping();
    if (knowsScript) {
      const other = await ownedSession(
        connect(replica.port),
        { tenantId: 'tnt_b', sessionId: 'shop' },
        'wrk_a',
      );
      await new EventLog(connect(replica.port)).append(other, [numbered(1)]);
    }
    // The replacement lacks this event, which readers have seen.
    const [lost] = await log.append(fence, [numbered(2)]);
    port.freeze();
    const appended = log.append(fence, [numbered(3)]);
    port.moveTo(replica.port);
    port.restore();
    const [position] = await appended;
    expect(lost?.seq).toBe(2);
    expect(position?.seq).toBe(1);
    expect(position?.epoch).not.toBe(lost?.epoch);
    const page = await log.read(fence.tenantId, { after: lost, count: 10 });
    expect(page.isContinuous).toBe(true);
    expect(page.events.map((event) => formatEventId(event.position))).toEqual([
      position && formatEventId(position),
    ]);
  },
);

test('writers whose connections lead to different primaries do not give a position twice', async () => {
  const fence = await sessionWithEvent();
  const [early, late] = [new EventLog(connect(primary.port)), new EventLog(connect(replica.port))];
  await early.append(fence, [numbered(2)]);
  await copyServer(primary, replica);
  const given = [
    ...(await early.append(fence, [numbered(3)])),
    ...(await late.append(fence, [numbered(4)])),
    ...(await early.append(fence, [numbered(5)])),
  ];
  // The first primary gets the other one's data, and its role back, while the connections to it stay open.
  await copyServer(replica, primary);
  await waitFor(async () => (await primary.command('INFO', 'replication')).includes('role:master'), {
    what: 'the first primary',
  });
  given.push(...(await early.append(fence, [numbered(6)])), ...(await early.append(fence, [numbered(7)])));
  const ids = given.map(formatEventId);
  expect(new Set(ids).size).toBe(ids.length);
  const page = await early.read(fence.tenantId, { after: given[1], count: 10 });
  expect(page.isContinuous).toBe(true);
  expect(page.events.map(({ position }) => formatEventId(position))).toEqual(ids.slice(3));
});

test('appends and reads leave the settings of the server’s interpreter alone', async () => {
  const settings =
    'return {cjson.encode_max_depth(), cjson.decode_max_depth(), cjson.encode_number_precision()}';
  await primary.restart();
  const before = await primary.command('EVAL', settings, '0');
  const fence = await sessionWithEvent();
  const log = new EventLog(connect(primary.port));
  const [position] = await log.append(fence, [numbered(2)]);
  await log.read(fence.tenantId, { after: position && { ...position, seq: 9 }, count: 1 });
  expect(await primary.command('EVAL', settings, '0')).toBe(before);
});
