import { startRedis, waitFor } from '@wafleet/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { logger } from '../testing/redis-fixture.js';
import { connectRedis } from './connection.js';
import { refusalOf } from './redis-refusal.js';
import { isRedisUnreachable } from './redis-unreachable.js';
import { requireRedis } from './require-redis.js';
import { Script } from './script.js';
import { probeWrites } from './write-probe.js';

async function redisWithConnection() {
  const server = await startRedis();
  const redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
  });
  await redis.ping();
  return { server, redis };
}

async function totalConnections(server: { command(...args: string[]): Promise<string> }): Promise<number> {
  const info = await server.command('INFO', 'stats');
  return Number(/total_connections_received:(\d+)/.exec(info)?.[1]);
}

describe('a Redis that refuses writes', () => {
  it('is named when it is out of memory', async () => {
    const { server, redis } = await redisWithConnection();
    expect(await probeWrites(redis)).toEqual({ writable: true });
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    expect(await probeWrites(redis)).toEqual({
      writable: false,
      reason: expect.stringContaining('out of memory'),
    });
  });

  it.each(['evalsha', 'spublish'])('is named when it does not let this user %s', async (command) => {
    const { server, redis } = await redisWithConnection();
    expect(await probeWrites(redis)).toEqual({ writable: true });
    await server.command('ACL', 'SETUSER', 'default', `-${command}`);
    expect(await probeWrites(redis)).toEqual({
      writable: false,
      reason: expect.stringContaining('lacks a permission'),
    });
  });

  it('stops the start of a process with its cause', async () => {
    const { server, redis } = await redisWithConnection();
    await server.command('REPLICAOF', '127.0.0.1', '1');
    await expect(requireRedis(redis, server.url, logger)).rejects.toThrow(
      /takes no writes: Redis is read-only/,
    );
  });

  it('costs few reconnects while it is read-only, and heals', async () => {
    const { server, redis } = await redisWithConnection();
    const warnings: string[] = [];
    const note = ({ name }: Error) => warnings.push(name);
    process.on('warning', note);
    onTestFinished(() => {
      process.off('warning', note);
    });
    const before = await totalConnections(server);
    await server.command('REPLICAOF', '127.0.0.1', '1');
    const named = async () => {
      const failed = await Promise.allSettled(Array.from({ length: 50 }, () => redis.set('a', 'b')));
      return failed.every((each) => each.status === 'rejected' && refusalOf(each.reason) !== undefined);
    };
    await waitFor(named, { what: 'writes that fail with the cause', timeoutMs: 20_000, intervalMs: 1 });
    // Each read of the statistics uses a connection of its own.
    expect((await totalConnections(server)) - before).toBeLessThan(20);
    expect(warnings).toEqual([]);
    await server.command('REPLICAOF', 'NO', 'ONE');
    await waitFor(async () => (await redis.set('a', 'b')) === 'OK', { what: 'a write', timeoutMs: 10_000 });
  });

  it.each([
    [
      'protected mode',
      'DENIED Redis is running in protected mode because protected mode is enabled',
      /protected mode/,
    ],
    ['clients', 'ERR max number of clients reached', /maxclients/],
    ['memory', "OOM command not allowed when used memory > 'maxmemory'. script: 5e6", /out of memory/],
    ['replica', "READONLY You can't write against a read only replica.", /read-only/],
  ])('has words for %s', (_name, message, words) => {
    expect(refusalOf(new Error(message))).toMatch(words);
  });

  it('differs from other errors', () => {
    expect(refusalOf(new Error('Connection is closed.'))).toBeUndefined();
    expect(
      refusalOf(new Error('WRONGTYPE Operation against a key holding the wrong kind of value')),
    ).toBeUndefined();
  });

  it('is named at the start of a process when it has too many clients', async () => {
    const { server, redis } = await redisWithConnection();
    await server.command('CONFIG', 'SET', 'maxclients', '1');
    const late = connectRedis({ url: server.url, role: 'command', name: 'late', logger });
    onTestFinished(() => late.disconnect());
    await expect(requireRedis(late, server.url, logger)).rejects.toThrow(
      /as many clients as its maxclients allows/,
    );
    expect(await redis.ping()).toBe('PONG');
  });
});

describe('a Redis that refuses this process while it runs', () => {
  const failureOf = (command: Promise<unknown>) =>
    command.then(() => undefined).catch((error: unknown) => error);

  it('counts as out of reach when it wants a password', async () => {
    const { server, redis } = await redisWithConnection();
    await server.command('CONFIG', 'SET', 'requirepass', 'x');
    const other = connectRedis({ url: server.url, role: 'command', name: 'other', logger });
    onTestFinished(() => other.disconnect());
    const error = await failureOf(other.get('a'));
    expect(isRedisUnreachable(error)).toBe(true);
    expect(refusalOf(error)).toContain('password');
    await redis.call('CONFIG', ['SET', 'requirepass', '']);
  });

  it('counts as out of reach when it forbids a command, also one of a script', async () => {
    const { server, redis } = await redisWithConnection();
    const script = new Script('workers/list-heartbeats', (reply) => reply);
    await server.command('ACL', 'SETUSER', 'default', '-hgetall');
    for (const command of [redis.hgetall('a'), script.run(redis, ['a'], [])]) {
      const error = await failureOf(command);
      expect(isRedisUnreachable(error)).toBe(true);
      expect(refusalOf(error)).toContain('lacks a permission');
    }
  });

  it('counts as out of reach while it is busy with a script', async () => {
    const { server, redis } = await redisWithConnection();
    await server.command('CONFIG', 'SET', 'busy-reply-threshold', '1');
    const busy = server.command('EVAL', 'while true do end', '0');
    const isBusy = async () => isRedisUnreachable(await failureOf(redis.get('a')));
    await waitFor(isBusy, { what: 'Redis says that it is busy' });
    await server.command('SCRIPT', 'KILL');
    await busy;
  });
});
