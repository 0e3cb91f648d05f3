import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { startRedis } from './start-redis.js';

/** Sends inline commands over one connection and resolves with all that comes back. */
function talk(port: number, commands: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.write(`${commands}\r\nQUIT\r\n`);
  return text(socket);
}

it('is empty, its own, keeps its data through a crash and a restart, and leaves nothing behind', async () => {
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
