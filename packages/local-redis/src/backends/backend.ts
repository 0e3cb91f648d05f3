import { SENTINEL_CONFIG } from '../sentinel-config.js';

/** The image of each Redis that runs in a container. */
export const REDIS_IMAGE = 'redis:7-alpine';

/** Where to look for a Redis server. */
export interface Search {
  /** The folder for a server that is extracted for this project only. */
  cacheDir: string;
  /** The PATH in which programs are looked up. Default: that of this process. */
  searchPath: string | undefined;
  onProgress: (line: string) => void;
}

/** How to run a Redis server. */
export interface ServerSettings {
  port: number;
  /** An existing folder that holds the append-only file, or a sentinel's configuration. */
  dir: string;
  appendOnly: boolean;
  /** Whether it is a sentinel, which keeps no data. */
  sentinel: boolean;
}

/** A server that was launched and may not answer yet. */
export interface RunningServer {
  /** Undefined if the server runs in a container. */
  pid: number | undefined;
  /** Resolves when the server has ended, with its last output. */
  ended: Promise<string>;
  /** Shuts it down in order: persistent data is on disk afterwards. */
  stop(): Promise<void>;
  /** Kills it, as a crash would. */
  kill(): Promise<void>;
}

/** A Redis that this machine can run. */
export interface RedisBackend {
  /** A description for people, e.g. `Redis 7.0.15 from /usr/bin/redis-server`. */
  description: string;
  launch(settings: ServerSettings): Promise<RunningServer>;
}

/** Either a backend, or one line with the reason why this step has none. */
export type Found = { backend: RedisBackend } | { missing: string };

/** One step of the search. Rejects only for unforeseen reasons. */
export type FindBackend = (search: Search) => Promise<Found>;

/** This process's user as a container takes it, so that files that the container writes belong to it. */
export function ownUser(): string {
  return process.getuid === undefined ? 'redis' : `${process.getuid()}:${process.getgid?.()}`;
}

/** The settings as arguments of `redis-server`, the same for every backend. */
export function serverArguments(settings: ServerSettings, bind: string, dir: string): string[] {
  const place = ['--bind', bind, '--port', String(settings.port), '--dir', dir, '--loglevel', 'warning'];
  if (settings.sentinel) return [`${dir}/${SENTINEL_CONFIG}`, '--sentinel', ...place];
  return [
    ...place,
    ...['--appendonly', settings.appendOnly ? 'yes' : 'no', '--save', ''],
    // A full Redis must refuse a write rather than forget a key: sessions' credentials live here.
    ...['--maxmemory-policy', 'noeviction'],
    // The log of a silent tenant expires as a whole. Freeing it must not block other clients.
    ...['--lazyfree-lazy-expire', 'yes'],
  ];
}
