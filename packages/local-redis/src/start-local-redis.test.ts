import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from './free-port.js';
import { sendCommand } from './resp.js';
import {
  chooseBackend,
  type LocalRedis,
  type LocalRedisOptions,
  startLocalRedis,
} from './start-local-redis.js';

/** The project's own cache, so that these tests download nothing that `npm test` or an earlier run already has. */
const cacheDir = join(dirname(fileURLToPath(import.meta.url)), '../../../.wafleet/redis');

let scratch: string;
const started: LocalRedis[] = [];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'wafleet-local-redis-test-'));
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((redis) => redis.kill()));
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

async function start(options: Partial<LocalRedisOptions> = {}): Promise<LocalRedis> {
  const redis = await startLocalRedis({ cacheDir, ...options });
  started.push(redis);
  return redis;
}

describe('a local Redis', () => {
  it('answers, never evicts, says what serves, and is gone after stop', async () => {
    const said: string[] = [];
    const redis = await start({ onProgress: (line) => said.push(line) });

    expect(await sendCommand(redis.port, ['PING'])).toBe('+PONG\r\n');
    expect(await sendCommand(redis.port, ['CONFIG', 'GET', 'maxmemory-policy'])).toContain('noeviction');
    expect(redis.url).toBe(`redis://127.0.0.1:${redis.port}`);
    expect(said.at(-1)).toBe(`Redis on port ${redis.port}: ${redis.servedBy}`);

    await redis.stop();
    await redis.stop();
    await expect(sendCommand(redis.port, ['PING'])).rejects.toThrow('ECONNREFUSED');
    await expect(readdir(redis.dir ?? '')).rejects.toThrow('ENOENT');
  });

  it.each(['stop', 'kill'] as const)(
    'keeps what was written across %s and a start on the same port',
    async (end) => {
      const dir = join(scratch, `kept-${end}`);
      const first = await start({ dir, appendOnly: true });
      await sendCommand(first.port, ['SET', 'greeting', 'hello']);
      await first[end]();

      const second = await start({ dir, appendOnly: true, port: first.port });

      expect(second.port).toBe(first.port);
      expect(await sendCommand(second.port, ['GET', 'greeting'])).toBe('$5\r\nhello\r\n');
    },
  );

  it('refuses a port that is taken, by its number', async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toThrow(`port ${port} of 127.0.0.1 is taken`);
  });

  it('does not touch a Redis that is given by its URL', async () => {
    const other = await start();
    const given = await start({ url: other.url });

    expect(given).toMatchObject({ url: other.url, port: other.port, pid: undefined });
    await given.stop();
    expect(await sendCommand(other.port, ['PING'])).toBe('+PONG\r\n');
  });

  it('uses a given list of sentinels, and does not report their password', async () => {
    const url = 'redis+sentinel://:planted@one:5000,two/main?sentinelPassword=planted';
    const said: string[] = [];
    const given = await start({ url, onProgress: (line) => said.push(line) });
    expect(given).toMatchObject({ url, servedBy: 'the Redis at one:5000,two', port: 5000 });
    expect(said).toEqual(['Redis at one:5000,two: runs already']);
  });

  it('runs in a container or says that no engine answers, when a container is demanded', async () => {
    const servedBy = await start({ backend: 'docker' }).then(
      (redis) => redis.servedBy,
      (error: Error) => error.message,
    );
    expect(servedBy).toMatch(/in a container|Docker: no container engine answers/);
  });
});

describe('a machine without Redis', () => {
  it('says what was tried and how to help when nothing can serve', async () => {
    const searchPath = join(scratch, 'empty');
    await mkdir(searchPath);

    const failure = start({ cacheDir: join(scratch, 'no-cache'), backend: 'local', searchPath });

    await expect(failure).rejects.toThrow(
      [
        'No Redis can be started here. Tried:',
        '  - redis-server or valkey-server on PATH: there is no redis-server, there is no valkey-server',
        `  - the server that an earlier start downloaded: there is no ${scratch}/no-cache/root/usr/bin/redis-server`,
        '  - apt-get: there is no dpkg',
        'Any one of these helps:',
      ].join('\n'),
    );
    await expect(failure).rejects.toThrow(/install Redis 7.*\n.*start Docker\n.*REDIS_URL/);
  });

  it.skipIf(!existsSync('/usr/bin/apt-get'))(
    'downloads a server without root, once for starts at the same time and after',
    // The network and apt-get are slow, especially on a busy machine.
    { timeout: 300_000 },
    async () => {
      const searchPath = join(scratch, 'no-redis');
      await mkdir(searchPath);
      for (const program of await readdir('/usr/bin')) {
        if (!/^(redis|valkey)/.test(program)) await symlink(`/usr/bin/${program}`, join(searchPath, program));
      }
      const bare: Partial<LocalRedisOptions> = {
        cacheDir: join(scratch, 'cache'),
        backend: 'local',
        searchPath,
      };

      const [one, two] = await Promise.all([start(bare), start(bare)]);
      expect(await sendCommand(one.port, ['PING'])).toBe('+PONG\r\n');
      expect(await sendCommand(two.port, ['PING'])).toBe('+PONG\r\n');
      expect(await readdir(join(scratch, 'cache'))).toEqual(['root']);

      const said: string[] = [];
      const later = await start({ ...bare, onProgress: (line) => said.push(line) });
      expect(said).toEqual([`Redis on port ${later.port}: ${later.servedBy}`]);
      expect(later.servedBy).toContain(join(scratch, 'cache/root/usr/bin/redis-server'));
    },
  );
});

describe('a server that cannot run', () => {
  it('is passed over', async () => {
    const searchPath = join(scratch, 'broken');
    await mkdir(searchPath);
    await symlink('/bin/false', join(searchPath, 'redis-server'));

    const failure = start({
      cacheDir: join(scratch, 'no-cache'),
      backend: 'local',
      searchPath,
      port: await freePort(),
    });

    await expect(failure).rejects.toThrow(/on PATH: Command failed: redis-server --version/);
  });
});

it('reads which kind of Redis is wanted', () => {
  expect(chooseBackend(undefined, 'TEST_REDIS')).toBe('auto');
  expect(chooseBackend('docker', 'TEST_REDIS')).toBe('docker');
  expect(() => chooseBackend('podman', 'TEST_REDIS')).toThrow(
    'TEST_REDIS is "podman"; it takes auto, docker, local',
  );
});
