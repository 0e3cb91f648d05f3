import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  chooseBackend,
  type LocalRedis,
  type LocalRedisOptions,
  sendCommand,
  startLocalRedis,
} from '@wafleet/local-redis';
import { isObserved, tellObservers } from './observers.js';
import { PROJECT_ROOT } from './project-root.js';
import { inTestContainer } from './test-container.js';

/** Time limit for an answer. On a busy machine a Redis that just started has many clients at once. */
const ANSWER_MS = 15_000;

/** A Redis for one test, which the test may crash and restart. */
export interface TestRedis {
  /** Stays the same across restarts. */
  readonly url: string;
  readonly port: number;
  /** What runs it: a program of this machine or a container. */
  readonly servedBy: string;
  /** Sends one command; resolves to the raw RESP2 reply. */
  command(...args: string[]): Promise<string>;
  /** Freezes it: it keeps its connections and does nothing. Throws if it runs in a container. */
  pause(): void;
  resume(): void;
  /** Kills it, as a crash would. Writes that it had acknowledged are there after `restart`. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the same data. Shuts it down in order before if it runs. */
  restart(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

/**
 * Starts an empty Redis on a free port, with an append-only file.
 *
 * The environment variable TEST_REDIS chooses what runs it: `auto` (default), `docker` (a container or an error) or
 * `local` (a program of this machine). REDIS_URL is ignored, because tests need a Redis that they may stop.
 */
export function startRedis(): Promise<TestRedis> {
  return startServer({ appendOnly: true, backend: chosenBackend() });
}

/** The value of TEST_REDIS. */
export function chosenBackend() {
  return chooseBackend(process.env.TEST_REDIS, 'TEST_REDIS');
}

/** Starts a server of the given kind in a new folder. */
export async function startServer(
  kind: Pick<LocalRedisOptions, 'appendOnly' | 'backend' | 'sentinel'>,
): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'wafleet-test-redis-'));
  const cacheDir = join(PROJECT_ROOT, '.wafleet/redis');
  const options = { ...kind, dir, cacheDir, container: inTestContainer };
  let current: LocalRedis = await startLocalRedis(options);
  const { url, port, servedBy } = current;
  let isFrozen = false;
  const command = (...args: string[]) => sendCommand(port, args, ANSWER_MS);
  const started = async () => {
    if (!kind.appendOnly || !isObserved()) return;
    // Otherwise Redis would rewrite the file when it is large, and drop overwritten values.
    await command('CONFIG', 'SET', 'auto-aof-rewrite-percentage', '0');
    tellObservers((observer) => observer.redisStarted({ port, dir }));
  };
  const ended = () => {
    if (kind.appendOnly) tellObservers((observer) => observer.redisEnded({ port, dir }));
  };
  await started();
  return {
    url,
    port,
    servedBy,
    command,
    pause: () => {
      signal(current, 'SIGSTOP');
      isFrozen = true;
    },
    resume: () => {
      signal(current, 'SIGCONT');
      isFrozen = false;
    },
    kill: async () => {
      // With `everysec`, an fsync that takes long holds back later writes, which a kill would lose.
      if (kind.appendOnly && !isFrozen) await command('CONFIG', 'SET', 'appendfsync', 'always');
      await current.kill();
      ended();
    },
    restart: async () => {
      await current.stop();
      ended();
      current = await startLocalRedis({ ...options, port });
      await started();
    },
    stop: async () => {
      if (isFrozen) signal(current, 'SIGCONT');
      await current.stop();
      ended();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function signal({ pid, servedBy }: LocalRedis, name: 'SIGSTOP' | 'SIGCONT'): void {
  if (pid === undefined) throw new Error(`${servedBy} cannot be frozen`);
  process.kill(pid, name);
}
