import { fileURLToPath } from 'node:url';
import { type LocalRedis, sendCommand, startLocalRedis } from '@wafleet/local-redis';
import type { Cores } from './cores.js';
import { cpuTimeOf } from './cpu-time.js';

const CACHE = fileURLToPath(new URL('../../../.wafleet/redis', import.meta.url));

/** A Redis for one scenario. */
export class BenchRedis {
  readonly url: string;
  readonly #server: LocalRedis;

  /** @param options.appendOnly whether it keeps an append-only file, as a deployment's does. */
  static async start(options: { appendOnly: boolean }): Promise<BenchRedis> {
    const redis = new BenchRedis(await startLocalRedis({ cacheDir: CACHE, appendOnly: options.appendOnly }));
    // A server under test that falls behind on purpose must not be disconnected for it.
    await redis.command('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 0 0 0');
    // A snapshot or rewrite of Redis would be counted as work for events.
    await redis.command('CONFIG', 'SET', 'auto-aof-rewrite-percentage', '0');
    await redis.command('CONFIG', 'SET', 'save', '');
    return redis;
  }

  private constructor(server: LocalRedis) {
    this.#server = server;
    this.url = server.url;
  }

  /** Moves it to the measured core. */
  measureOn(cores: Cores): void {
    if (this.#server.pid !== undefined) cores.measure(this.#server.pid);
  }

  command(...args: string[]): Promise<string> {
    return sendCommand(this.#server.port, args);
  }

  async version(): Promise<string> {
    return /^redis_version:(\S+)/m.exec(await this.command('INFO', 'server'))?.[1] ?? 'unknown';
  }

  /** CPU time used so far, µs: measured for our own process, else as reported by Redis, which is coarser. */
  async cpuTime(): Promise<number> {
    if (this.#server.pid !== undefined) return cpuTimeOf(this.#server.pid);
    const info = await this.command('INFO', 'cpu');
    const seconds = (field: string) => Number(new RegExp(`^${field}:(\\S+)`, 'm').exec(info)?.[1]);
    return (seconds('used_cpu_sys') + seconds('used_cpu_user')) * 1_000_000;
  }

  /** The number of calls of these commands so far, and the µs spent in them. */
  async commandStatistics(commands: readonly string[]): Promise<{ calls: number; microseconds: number }> {
    const info = await this.command('INFO', 'commandstats');
    const found = [...info.matchAll(/^cmdstat_(\w+):calls=(\d+),usec=(\d+)/gm)].filter(([, command = '']) =>
      commands.includes(command),
    );
    const total = (field: number) => found.reduce((sum, match) => sum + Number(match[field]), 0);
    return { calls: total(2), microseconds: total(3) };
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}
