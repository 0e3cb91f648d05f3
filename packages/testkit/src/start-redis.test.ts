import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { observeTests } from './observers.js';
import { startRedis } from './start-redis.js';

/** Sends inline commands over one connection and resolves with all replies. */
function talk(port: number, commands: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.write(`${commands}\r\nQUIT\r\n`);
  return text(socket);
}

it('is empty, separate, keeps its data through a crash and a restart, and leaves nothing behind', async () => {
  const [redis, other] = await Promise.all([startRedis(), startRedis()]);
  expect(await talk(redis.port, 'SET greeting hello')).toBe('+OK\r\n+OK\r\n');
  expect(await talk(other.port, 'DBSIZE')).toBe(':0\r\n+OK\r\n');
  const [, dir = ''] = (await talk(redis.port, 'CONFIG GET dir'))
    .split('\r\n')
    .filter((line) => /^[d/]/.test(line));

  await redis.kill();
  await expect(talk(redis.port, 'PING')).rejects.toThrow('ECONNREFUSED');
  await redis.restart();
  expect(await talk(redis.port, 'GET greeting')).toBe('$5\r\nhello\r\n+OK\r\n');
  await redis.restart();
  expect(await talk(redis.port, 'GET greeting')).toBe('$5\r\nhello\r\n+OK\r\n');

  await Promise.all([redis.stop(), other.stop()]);
  await expect(talk(redis.port, 'PING')).rejects.toThrow('ECONNREFUSED');
  expect(existsSync(dir)).toBe(false);
});

it('notifies observers of the folder of its writes each time it ends, before they are removed', async ({
  onTestFinished,
}) => {
  const reported: string[] = [];
  let dir = '';
  const unobserve = observeTests({
    processStarted: () => {},
    redisStarted: (redis) => {
      dir = redis.dir;
      reported.push(`started on ${redis.port}`);
    },
    redisEnded: (redis) => {
      expect(redis.dir).toBe(dir);
      reported.push(
        readdirSync(join(dir, 'appendonlydir')).some((name) => name.endsWith('.incr.aof')) ? 'ended' : '',
      );
    },
  });
  onTestFinished(unobserve);
  const redis = await startRedis();
  expect(await talk(redis.port, 'CONFIG GET auto-aof-rewrite-percentage')).toContain('$1\r\n0\r\n');
  await redis.kill();
  await redis.restart();
  await redis.stop();
  const started = `started on ${redis.port}`;
  // A restart shuts down first, even a server that was killed.
  expect(reported).toEqual([started, 'ended', 'ended', started, 'ended']);
});
