import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { FindBackend, RedisBackend, RunningServer, Search, ServerSettings } from './backends/backend.js';
import { inDocker } from './backends/docker.js';
import { fromApt } from './backends/from-apt.js';
import { inCache } from './backends/in-cache.js';
import { onPath } from './backends/on-path.js';
import { freePort, isFree } from './free-port.js';
import { sendCommand } from './resp.js';
import { whyItFailed } from './run.js';
import { provideSentinelConfig, type SentinelDuty } from './sentinel-config.js';

/** Which kinds of Redis may serve: any, a container only, or a program of this machine only. */
export type BackendChoice = (typeof CHOICES)[number];

const CHOICES = ['auto', 'docker', 'local'] as const;

/** Reads a choice from an environment variable's value; empty is `auto`. Throws, by its `name`, on any other value. */
export function chooseBackend(value: string | undefined, name: string): BackendChoice {
  const chosen = CHOICES.find((choice) => choice === (value || 'auto'));
  if (chosen === undefined)
    throw new Error(`${name} is ${JSON.stringify(value)}; it takes ${CHOICES.join(', ')}`);
  return chosen;
}

export interface LocalRedisOptions {
  /** A running Redis: nothing is started, and `stop` and `kill` do nothing to it. */
  url?: string;
  /** The folder in which a downloaded server is kept for later starts, e.g. `.wafleet/redis` in the project's root. */
  cacheDir: string;
  /** The folder of the data, created if missing. Default: a temporary folder that is removed at the end. */
  dir?: string;
  /** Whether writes survive a restart on the same `dir`. Default: false. */
  appendOnly?: boolean;
  /** Makes it a sentinel. On the `dir` of an earlier sentinel it continues with that one's state. */
  sentinel?: SentinelDuty;
  /** Default: a free port. */
  port?: number;
  /** Default: `auto`. */
  backend?: BackendChoice;
  /** Finds the engine that runs a container. Default: the program `docker`. */
  container?: FindBackend;
  /** The PATH in which programs are looked up, instead of this process's. */
  searchPath?: string;
  /** Called with one line for each step that takes long, and for the server that is chosen. */
  onProgress?: (line: string) => void;
}

export interface LocalRedis {
  /** `redis://127.0.0.1:<port>`, or the given URL. */
  url: string;
  /** For a given list of sentinels: the port of the first one. */
  port: number;
  /** Undefined for a container or an already running Redis. */
  pid: number | undefined;
  /** Undefined for an already running Redis. */
  dir: string | undefined;
  /** A description of the server, for people. */
  servedBy: string;
  /** Resolves when the server has ended, with its last output. Never settles for an already running Redis. */
  ended: Promise<string>;
  /** Shuts down in order. May be called again. */
  stop(): Promise<void>;
  /** Kills it, as a crash would. May be called again. */
  kill(): Promise<void>;
}

interface Step {
  readonly name: string;
  readonly kinds: readonly BackendChoice[];
  readonly find: FindBackend;
}

function stepsWith(container: FindBackend): readonly Step[] {
  return [
    { name: 'redis-server or valkey-server on PATH', kinds: ['auto', 'local'], find: onPath },
    { name: 'the server that an earlier start downloaded', kinds: ['auto', 'local'], find: inCache },
    { name: 'Docker', kinds: ['auto', 'docker'], find: container },
    { name: 'apt-get', kinds: ['auto', 'local'], find: fromApt },
  ];
}

const READY_TIMEOUT_MS = 30_000;

/**
 * Runs a Redis on this machine and resolves when it answers PING.
 *
 * Uses the first of these that works: the given `url`; a server on PATH; one downloaded earlier; a container; one
 * downloaded now by apt-get, without root. It listens on 127.0.0.1, never evicts a key, and ends with this process.
 *
 * Rejects if `port` is taken, or if no server can be started. The error then lists what was tried and how to fix it.
 */
export async function startLocalRedis(options: LocalRedisOptions): Promise<LocalRedis> {
  const onProgress = options.onProgress ?? (() => {});
  if (options.url !== undefined) return alreadyRunning(options.url, onProgress);
  if (options.port !== undefined && !(await isFree(options.port))) {
    throw new Error(`Redis cannot start: port ${options.port} of 127.0.0.1 is taken`);
  }
  const search: Search = { cacheDir: resolve(options.cacheDir), searchPath: options.searchPath, onProgress };
  const dir = await dataFolder(options.dir);
  if (options.sentinel !== undefined) await provideSentinelConfig(dir, options.sentinel);
  const settings = {
    port: options.port,
    dir,
    appendOnly: options.appendOnly ?? false,
    sentinel: options.sentinel !== undefined,
  };
  const cleanUp = async () => {
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
  };

  const choice = options.backend ?? 'auto';
  const tried: string[] = [];
  for (const { name, find } of stepsWith(options.container ?? inDocker).filter(({ kinds }) =>
    kinds.includes(choice),
  )) {
    try {
      const found = await find(search);
      if ('missing' in found) {
        tried.push(`${name}: ${found.missing}`);
        continue;
      }
      const { backend } = found;
      const { server, port } = await launchAndWait(backend, settings);
      onProgress(`Redis on port ${port}: ${backend.description}`);
      return {
        url: `redis://127.0.0.1:${port}`,
        port,
        pid: server.pid,
        dir,
        servedBy: backend.description,
        ended: server.ended,
        ...endOnce(server, cleanUp),
      };
    } catch (error) {
      tried.push(`${name}: ${whyItFailed(error)}`);
    }
  }
  await cleanUp();
  throw new Error(nothingServes(choice, tried));
}

function alreadyRunning(url: string, onProgress: (line: string) => void): LocalRedis {
  // Not by URL, because a URL cannot hold a list of sentinels.
  const [, hosts = ''] = /^[^/]*\/\/(?:[^/]*@)?([^/?#]*)/.exec(url) ?? [];
  const [, port = '6379'] = /:(\d+)(?:,|$)/.exec(hosts) ?? [];
  onProgress(`Redis at ${hosts}: runs already`);
  const leaveIt = async () => {};
  const servedBy = `the Redis at ${hosts}`;
  return {
    url,
    port: Number(port),
    pid: undefined,
    dir: undefined,
    servedBy,
    ended: new Promise(() => {}),
    stop: leaveIt,
    kill: leaveIt,
  };
}

async function dataFolder(dir: string | undefined): Promise<string> {
  if (dir === undefined) return mkdtemp(join(tmpdir(), 'wafleet-redis-'));
  await mkdir(dir, { recursive: true });
  return resolve(dir);
}

/** Another process may take a free port between its choice and its use. Then another port is chosen. */
async function launchAndWait(
  backend: RedisBackend,
  settings: Omit<ServerSettings, 'port'> & { port: number | undefined },
): Promise<{ server: RunningServer; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = settings.port ?? (await freePort());
    const server = await backend.launch({ ...settings, port });
    try {
      await ready(server, port);
      return { server, port };
    } catch (error) {
      await server.kill();
      if (settings.port !== undefined || attempt === 3) throw error;
    }
  }
}

/** A server that reads its append-only file answers `-LOADING` until it is done. */
async function ready(server: RunningServer, port: number): Promise<void> {
  const ended = server.ended.then((lastWords) => {
    throw new Error(`Redis ended before it was ready: ${lastWords}`);
  });
  const deadline = Date.now() + READY_TIMEOUT_MS;
  const answers = async () => {
    for (;;) {
      const reply = await sendCommand(port, ['PING']).catch((error: unknown) => whyItFailed(error));
      if (reply === '+PONG\r\n') return;
      if (Date.now() > deadline)
        throw new Error(`Redis was not ready in time; the last answer: ${reply.trim()}`);
      await new Promise((next) => setTimeout(next, 20));
    }
  };
  await Promise.race([answers(), ended]);
}

function endOnce(server: RunningServer, cleanUp: () => Promise<void>): Pick<LocalRedis, 'stop' | 'kill'> {
  let ending: Promise<void> | undefined;
  const end = (how: () => Promise<void>) => {
    ending ??= how().then(cleanUp);
    return ending;
  };
  return { stop: () => end(server.stop), kill: () => end(server.kill) };
}

function nothingServes(choice: BackendChoice, tried: readonly string[]): string {
  const ways =
    choice === 'docker'
      ? ['start Docker']
      : [
          'install Redis 7 or Valkey, so that redis-server is on PATH (apt-get install redis-server, brew install redis)',
          'start Docker',
          'run a Redis yourself and set REDIS_URL, e.g. redis://127.0.0.1:6379',
        ];
  return [
    'No Redis can be started here. Tried:',
    ...tried.map((line) => `  - ${line}`),
    'Any one of these helps:',
    ...ways.map((line) => `  - ${line}`),
  ].join('\n');
}
