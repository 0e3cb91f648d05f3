import { setImmediate as nextTurn } from 'node:timers/promises';
import { StartError } from '@wafleet/runtime';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { describe, test } from 'vitest';
import { EventChannel } from '../events/event-channel.js';
import { EventLog } from '../events/event-log.js';
import type { LoggedEvent } from '../events/logged-event.js';
import { logger, ownedSession } from '../testing/redis-fixture.js';
import { connectRedis, type RedisConnection, type RedisRole } from './connection.js';
import { channels } from './keyspace.js';
import { lacksChannels } from './reconnecting-redis.js';
import { isRedisUnreachable } from './redis-unreachable.js';
import { requireRedis } from './require-redis.js';

interface Context {
  onTestFinished(cleanUp: () => Promise<void> | void): void;
}

async function startedRedis({ onTestFinished }: Context): Promise<TestRedis> {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  return server;
}

function connect(
  { onTestFinished }: Context,
  url: string,
  role: RedisRole,
  name: string = role,
): RedisConnection {
  const connection = connectRedis({ url, role, name, logger });
  onTestFinished(() => connection.disconnect());
  return connection;
}

// Three of them wait until ioredis gives up.
describe.concurrent('a connection', () => {
  test('to a Redis that fits is accepted, and has its name there', async (context) => {
    const { url } = await startedRedis(context);
    const connection = connect(context, url, 'command', 'worker:wrk_a');
    await requireRedis(connection, url, logger);
    context.expect(await connection.client('LIST')).toContain('name=worker:wrk_a ');
  });

  test('to a Redis out of reach stops the start, in a sentence without the password', async (context) => {
    const server = await startRedis();
    await server.stop();
    const url = `redis://someone:secret-password@127.0.0.1:${server.port}`;
    const connection = connect(context, url, 'command');
    const failure = await requireRedis(connection, url, logger).catch((error: unknown) => error);
    context.expect(failure).toBeInstanceOf(StartError);
    context
      .expect(String(failure))
      .toContain(`cannot reach Redis at redis://***@127.0.0.1:${server.port} (connect ECONNREFUSED`);
    context.expect(String(failure)).not.toContain('secret-password');
  });

  test('to a Redis that is held up for some seconds is accepted', async (context) => {
    const server = await startedRedis(context);
    const connection = connect(context, server.url, 'command');
    await connection.ping();
    server.pause();
    let timeouts = 0;
    connection.on('error', () => {
      timeouts += 1;
      server.resume();
    });
    await requireRedis(connection, server.url, logger);
    context.expect(timeouts).toBeGreaterThan(0);
  });

  test('that is out of reach lets 10,000 commands wait and fails the others at once', async (context) => {
    const server = await startRedis();
    await server.stop();
    const connection = connect(context, `redis://127.0.0.1:${server.port}`, 'command');
    const errors: unknown[] = [];
    const sent = Array.from({ length: 10_050 }, () =>
      connection.get('key').catch((error: unknown) => {
        errors.push(error);
      }),
    );
    await nextTurn();
    context.expect(errors).toHaveLength(50);
    connection.disconnect();
    await Promise.all(sent);
    context.expect(errors).toHaveLength(10_050);
    context.expect(errors.every(isRedisUnreachable)).toBe(true);
  });

  test('that Redis temporarily cannot serve counts as unreachable, other errors do not', async (context) => {
    const redis = connect(context, (await startedRedis(context)).url, 'command');
    await redis.set('text', 'x');
    await redis.config('SET', 'maxmemory', '1');
    const full = await redis.set('a', 'b').catch((error: unknown) => error);
    const mistake = await redis.hget('text', 'field').catch((error: unknown) => error);
    context.expect([full, mistake].map(isRedisUnreachable)).toEqual([true, false]);
  });

  test('that is closed right after it has reconnected causes no error', async (context) => {
    const server = await startedRedis(context);
    const subscriber = connect(context, server.url, 'subscriber');
    await subscriber.ssubscribe('channel');
    await server.kill();
    await waitFor(() => subscriber.status !== 'ready', { what: 'the loss of Redis' });
    const closed = new Promise<void>((resolve) => {
      subscriber.once('ready', () => {
        subscriber.once('end', resolve);
        // Runs after the connection has sent the subscription by itself, and before it can have read the answer.
        queueMicrotask(() => {
          subscriber.disconnect();
          subscriber.stream.destroy();
        });
      });
    });
    await server.restart();
    await closed;
  });

  test('fails commands while Redis is down; then they and channels work again', async (context) => {
    const tenantId = 'tnt_a';
    const server = await startedRedis(context);
    const redis = connect(context, server.url, 'command');
    const channel = new EventChannel(connect(context, server.url, 'subscriber'));
    const received: string[] = [];
    await channel.subscribe(tenantId, ({ body }) => received.push(body.toString()));
    const fence = await ownedSession(redis, { tenantId, sessionId: 'shop' }, 'wrk_a');

    await server.kill();
    const failure = await redis.set('a', 'b').catch((error: unknown) => error);
    context.expect(failure).toBeInstanceOf(Error);
    context.expect(isRedisUnreachable(failure)).toBe(true);
    await server.restart();

    // The scripts are gone from the restarted Redis and must be sent again; the log comes from its append-only file.
    const log = new EventLog(redis, { maxLength: 10 });
    await waitFor(
      async () => {
        await log.append(fence, [{ event: 'call', body: '{"n":1}' }]);
        return received.length > 0;
      },
      { what: 'an event over the channel after the restart' },
    );
  });

  test('that may not subscribe again after a cut does so as soon as it may', async (context) => {
    const server = await startedRedis(context);
    const subscriber = connect(context, server.url, 'subscriber');
    const command = connect(context, server.url, 'command');
    const tenantId = 'tnt_a';
    const channel = new EventChannel(subscriber);
    const received: string[] = [];
    const listener = ({ event }: LoggedEvent) => received.push(event);
    await channel.subscribe(tenantId, listener);
    await subscriber.subscribe('others');
    await server.command('ACL', 'SETUSER', 'default', '-ssubscribe', '-subscribe');
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await waitFor(() => subscriber.status !== 'ready', { what: 'the cut', intervalMs: 1 });
    await waitFor(() => subscriber.status === 'ready', { what: 'another connection' });
    await waitFor(() => lacksChannels(subscriber), { what: 'that channels are lacking' });
    // An edge that wants to be sure does the same.
    await context.expect(channel.subscribe(tenantId, listener)).rejects.toThrow('NOPERM');
    await server.command('ACL', 'SETUSER', 'default', '+ssubscribe', '+subscribe');
    const heard = async () => {
      const [, sharded] = (await command.call('PUBSUB', 'SHARDNUMSUB', channels.events(tenantId))) as [
        string,
        number,
      ];
      const [, plain] = (await command.call('PUBSUB', 'NUMSUB', 'others')) as [string, number];
      return sharded === 1 && plain === 1;
    };
    await waitFor(heard, { what: 'both channels subscribed to again', timeoutMs: 15_000 });
    await waitFor(() => !lacksChannels(subscriber), { what: 'that none is lacking' });
    const fence = await ownedSession(command, { tenantId, sessionId: 'shop' }, 'wrk_a');
    await new EventLog(command).append(fence, [{ event: 'call', body: '{"n":1}' }]);
    await waitFor(() => received.length === 1, { what: 'an event' });
  });
});
