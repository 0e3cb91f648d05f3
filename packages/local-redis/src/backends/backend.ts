import { SENTINEL_CONFIG } from '../sentinel-config.js';

/** Where a Redis server is looked for. */
export interface Search {
  /** Holds, or will hold, a server extracted for this project alone. */
  cacheDir: string;
  /** The PATH in which programs are looked up; that of this process when undefined. */
  searchPath: string | undefined;
  onProgress: (line: string) => void;
}

/** How a Redis server is to run. */
export interface ServerSettings {
  port: number;
  /** An existing folder that holds the append-only file, or a sentinel's configuration. */
  dir: string;
  appendOnly: boolean;
  /** Whether it is to be a sentinel, which keeps no data. */
  sentinel: boolean;
}

/** A server that was launched and may not answer yet. */
export interface RunningServer {
  /** Undefined when the server runs in a container. */
  pid: number | undefined;
  /** Settles when the server has ended, with its last words. */
  ended: Promise<string>;
  /** Shuts it down in order: what is to be kept is on disk afterwards. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

/** A Redis that this machine can run. */
export interface RedisBackend {
  /** For a person, e.g. `Redis 7.0.15 from /usr/bin/redis-server`. */
  description: string;
  launch(settings: ServerSettings): Promise<RunningServer>;
}

/** Either a backend, or one line on why this step has none. */
export type Found = { backend: RedisBackend } | { missing: string };

/** One step of the search; it rejects for no foreseeable reason. */
export type FindBackend = (search: Search) => Promise<Found>;

/** The settings as `redis-server` takes them, the same for every backend. */
export function serverArguments(settings: ServerSettings, bind: string, dir: string): string[] {
  const place = ['--bind', bind, '--port', String(settings.port), '--dir', dir, '--loglevel', 'warning'];
  if (settings.sentinel) return [`${dir}/${SENTINEL_CONFIG}`, '--sentinel', ...place];
  return [
    ...place,
    ...['--appendonly', settings.appendOnly ? 'yes' : 'no', '--save', ''],
    // A full Redis must refuse a write rather than forget a key: sessions' credentials live here.
    ...['--maxmemory-policy', 'noeviction'],
    // The log of a tenant that fell silent expires as a whole, and is not to be freed while everybody waits.
    ...['--lazyfree-lazy-expire', 'yes'],
  ];
}
