import { createLogger, StartError } from '@wafleet/runtime';
import { freePort, type ReplicatedRedis, startReplicatedRedis, waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { EventChannel } from '../events/event-channel.js';
import { EventLog } from '../events/event-log.js';
import { logger, ownedSession } from '../testing/redis-fixture.js';
import { connectRedis, type RedisConnection, type RedisRole } from './connection.js';
import { requireRedis } from './require-redis.js';

const ROLES: readonly RedisRole[] = ['command', 'blocking', 'subscriber', 'lifeline', 'queue'];

let redis: ReplicatedRedis;
let connections: RedisConnection[] = [];

beforeAll(async () => {
  redis = await startReplicatedRedis();
});

afterEach(() => {
  for (const connection of connections) connection.disconnect();
  connections = [];
});

afterAll(() => redis?.stop());

function connect(role: RedisRole, url = redis.url, log = logger): RedisConnection {
  const connection = connectRedis({ url, role, name: `test:${role}`, logger: log });
  connections.push(connection);
  return connection;
}

async function failureOf(url: string): Promise<unknown> {
  return requireRedis(connect('command', url), url, logger).catch((error: unknown) => error);
}

test('every role, and a duplicate as BullMQ makes them, leads to the primary', async () => {
  for (const role of ROLES) connect(role);
  const duplicate = connect('queue').duplicate({ connectionName: 'test:duplicate' });
  connections.push(duplicate);
  const names = [...ROLES.map((role) => `test:${role}`), 'test:duplicate'];
  const there = async () => {
    const clients = await redis.primary.command('CLIENT', 'LIST');
    return names.every((name) => clients.includes(` name=${name} `));
  };
  await waitFor(there, { what: 'all of them at the primary' });
  expect(await duplicate.role()).toContain('master');
});

test('credentials and a database are used, and the error for a wrong password does not contain it', async () => {
  for (const server of [redis.primary, ...redis.sentinels]) {
    await server.command('ACL', 'SETUSER', 'app', 'on', '>planted/1', '~*', '&*', '+@all');
  }
  const url = (sentinelPassword: string) =>
    `${redis.url.replace('://', '://app:planted%2F1@')}/3?sentinelUsername=app&sentinelPassword=${sentinelPassword}`;
  const connection = connect('command', url('planted%2F1'));
  await requireRedis(connection, url('planted%2F1'), logger);
  expect(await connection.client('INFO')).toMatch(/ db=3 .* user=app /);
  const clients = await Promise.all(redis.sentinels.map((sentinel) => sentinel.command('CLIENT', 'LIST')));
  for (const list of clients) expect(list).toMatch(/ name=test:command .* user=app /);

  const failure = await failureOf(url('planted-wrong'));
  expect(failure).toBeInstanceOf(StartError);
  expect(String(failure)).toMatch(/no sentinel answers: .*WRONGPASS/);
  expect(String(failure)).not.toContain('planted');
});

test('the error of a start names an unknown group, sentinels that do not answer, a primary without TLS', async () => {
  const [one, other] = [await freePort(), await freePort()];
  const failures = await Promise.all([
    failureOf(`${redis.url}-other`),
    failureOf(`redis+sentinel://:planted@127.0.0.1:${one},127.0.0.1:${other}/wafleet`),
    failureOf(redis.url.replace('redis+', 'rediss+')),
  ]);
  for (const failure of failures) expect(failure).toBeInstanceOf(StartError);
  const [unknown, silent, plain] = failures.map(String);
  expect(unknown).toContain('the sentinels know no primary named wafleet-other');
  expect(silent).toContain(
    `cannot reach Redis at redis+sentinel://***@127.0.0.1:${one},127.0.0.1:${other}/wafleet (no sentinel answers: 127.0.0.1:${one}: connect ECONNREFUSED`,
  );
  expect(plain).toContain(`(127.0.0.1:${redis.primary.port} does not answer)`);
});

test('a primary that hangs is left for the new one, with one sentinel gone; the outage is logged once', async () => {
  const lines: { msg?: string; connection?: string }[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  const log = createLogger({ app: 'test', level: 'info', destination });
  const [command, subscriber] = [connect('command', redis.url, log), connect('subscriber', redis.url, log)];
  const channel = new EventChannel(subscriber);
  const received: string[] = [];
  await channel.subscribe('tnt_a', ({ body }) => received.push(body.toString()));
  await ownedSession(command, { tenantId: 'tnt_a', sessionId: 'shop' }, 'wrk_a');
  await redis.sentinels[0]?.kill();

  // It keeps its connections and answers no client, not even the sentinels.
  await expect(redis.primary.command('CLIENT', 'PAUSE', '600000', 'ALL')).rejects.toThrow('gave no answer');
  await waitFor(() => command.role().then(([role]) => role === 'master'), {
    what: 'commands at the new primary',
    timeoutMs: 60_000,
  });
  const eventLog = new EventLog(command, { maxLength: 10 });
  const fence = { tenantId: 'tnt_a', sessionId: 'shop', epoch: 1, worker: 'wrk_a' };
  await waitFor(
    async () => {
      await eventLog.append(fence, [{ event: 'call', body: '{"n":1}' }]);
      return received.length > 0;
    },
    { what: 'an event over the channel of the new primary', timeoutMs: 30_000 },
  );
  expect(await redis.replica.command('ROLE')).toContain('master');
  const reported = (connection: string) =>
    lines.filter((line) => line.connection === connection).map(({ msg }) => msg);
  for (const name of ['test:command', 'test:subscriber']) {
    expect(reported(name)).toEqual(['Redis is out of reach', 'Redis is back']);
  }
}, 120_000);
