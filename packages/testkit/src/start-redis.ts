import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseBackend, type LocalRedis, sendCommand, startLocalRedis } from '@wafleet/local-redis';
import { PROJECT_ROOT } from './project-root.js';

/** A Redis of a test's own, which it may crash and restart. */
export interface TestRedis {
  /** Stays the same across restarts. */
  readonly url: string;
  readonly port: number;
  /** What serves: a program of this machine or a container. */
  readonly servedBy: string;
  /** Sends one command; resolves to the raw RESP2 reply. */
  command(...args: string[]): Promise<string>;
  /** Ends it as a crash would. Its data stays for `restart`. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the same data; shuts it down in order before, if it runs. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/**
 * Starts an empty Redis on a free port, with an append-only file.
 *
 * The environment variable TEST_REDIS chooses what serves: `auto` (default), `docker` (a container or an error) or
 * `local` (a program of this machine). REDIS_URL plays no part: tests need a Redis that they may end.
 */
export async function startRedis(): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'wafleet-test-redis-'));
  const options = {
    cacheDir: join(PROJECT_ROOT, '.wafleet/redis'),
    dir,
    appendOnly: true,
    backend: chooseBackend(process.env.TEST_REDIS, 'TEST_REDIS'),
  };
  let current: LocalRedis = await startLocalRedis(options);
  const { url, port, servedBy } = current;
  return {
    url,
    port,
    servedBy,
    command: (...args) => sendCommand(port, args),
    kill: () => current.kill(),
    restart: async () => {
      await current.stop();
      current = await startLocalRedis({ ...options, port });
    },
    stop: async () => {
      await current.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
