import { randomUUID } from 'node:crypto';
import {
  CommandClient,
  Ownership,
  type RedisConnection,
  SessionDirectory,
  SessionIndex,
  WorkerFailureDetector,
  WorkerRegistry,
} from '@wafleet/store';
import { Placer } from '../placer.js';
import { PlacementQueue } from '../queue.js';
import { Sweeps } from '../sweeps.js';
import { connect, logger } from './connect.js';

export type SweepIntervals = Readonly<Record<'watch-workers' | 'reconcile' | 'rebalance', number>>;

/** Rebalancing is seldom, since it would move what a test has placed. */
const OFTEN: SweepIntervals = { 'watch-workers': 100, reconcile: 300, rebalance: 600_000 };

/** A placer process' parts, on connections of their own. */
export class Placing {
  readonly queue: PlacementQueue;
  readonly #connections: RedisConnection[];
  readonly #commands: CommandClient;
  readonly #placer: Placer;
  readonly #sweeps: Sweeps;

  static async start(url: string, every: SweepIntervals = OFTEN): Promise<Placing> {
    const placing = new Placing(url, every);
    await placing.#commands.start();
    await placing.#placer.start();
    await placing.#sweeps.start();
    return placing;
  }

  private constructor(url: string, every: SweepIntervals) {
    const [redis, subscriber, connection] = [
      connect(url, 'command'),
      connect(url, 'subscriber'),
      connect(url, 'queue'),
    ];
    this.#connections = [redis, subscriber, connection];
    const sessions = new SessionDirectory(redis);
    const workers = new WorkerRegistry(redis);
    this.#commands = new CommandClient({ redis, subscriber, clientId: `placer_${randomUUID()}`, logger });
    this.queue = new PlacementQueue({ connection, logger });
    const shared = { connection, sessions, workers, logger };
    this.#placer = new Placer({ ...shared, commands: this.#commands, placementsPerSecond: 1_000 });
    this.#sweeps = new Sweeps({
      ...shared,
      ownership: new Ownership(redis),
      index: new SessionIndex(redis),
      deaths: new WorkerFailureDetector(redis, { witnessed: 200, unwitnessed: 500 }),
      placements: this.queue,
      every,
    });
  }

  async stop(): Promise<void> {
    await this.#sweeps.stop();
    await this.#placer.stop();
    await this.queue.close();
    await this.#commands.stop();
    for (const connection of this.#connections) connection.disconnect();
  }
}
