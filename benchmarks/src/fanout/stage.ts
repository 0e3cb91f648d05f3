import { setTimeout as delay } from 'node:timers/promises';
import type { Cores } from '../harness/cores.js';
import { cpuTimeOf } from '../harness/cpu-time.js';
import { BenchRedis } from '../harness/redis.js';
import type { Rounds } from '../harness/scenario.js';
import { Clients, Publisher } from './load.js';
import type { Audience, ContenderName, Published, Tally } from './protocol.js';
import { type ServerUnderTest, startServer } from './server-under-test.js';

/** A server under test with its clients. */
export interface Contender {
  readonly name: ContenderName;
  readonly server: ServerUnderTest;
  readonly clients: Clients;
}

export interface StageOptions {
  readonly cores: Cores;
  readonly contenders: readonly ContenderName[];
  readonly tenants: number;
  readonly clientsPerTenant: number;
  /** Additional tenants without clients. */
  readonly strangers?: number;
  /** Whether a load below its rate is accepted, e.g. if the figures do not count. */
  readonly lenient?: boolean;
}

/** How a window's events are offered. */
export interface Load {
  readonly events: number;
  /** The rate. Default: as fast as Redis accepts them. */
  readonly perSecond?: number;
  /** The lowest rate that is accepted. Default: 9/10 of `perSecond`. */
  readonly atLeastPerSecond?: number;
  /** The server is stopped until all events are published, and then never waits for the load. */
  readonly backlog?: boolean;
  /** Whether the latency of each delivery is recorded. */
  readonly timed?: boolean;
}

/** The work of a server for a known number of events. */
export interface Window {
  /** CPU of the server per event, µs. */
  readonly perEvent: number;
  /** CPU of the server per delivery, µs. */
  readonly perDelivery: number;
  /** Share of its core that the server used, 0 to 1. */
  readonly busy: number;
  /** The rate at which the events were published. */
  readonly publishedPerSecond: number;
  readonly latencies: Tally['latencies'];
}

const SETTLE_MS = 200;
/** In a short window, another process may delay the last event by this time. */
const LATE_MS = 50;
const ATTEMPTS = 4;

/** The load did not keep its rate. */
class LateLoadError extends Error {}

/** One Redis, a publisher, and the contenders with their clients. All run at the same time and are loaded in turns. */
export class Stage {
  readonly redis: BenchRedis;
  readonly publisher: Publisher;
  readonly contenders: Contender[] = [];
  readonly audiences: Audience[] = [];
  readonly strangers: Audience[] = [];
  readonly #servers: ServerUnderTest[] = [];
  readonly #lenient: boolean;

  static async start(options: StageOptions): Promise<Stage> {
    const redis = await BenchRedis.start({ appendOnly: false });
    const stage = new Stage(redis, options.lenient ?? false);
    try {
      await stage.#fill(options);
      return stage;
    } catch (error) {
      await stage.stop();
      throw error;
    }
  }

  private constructor(redis: BenchRedis, lenient: boolean) {
    this.redis = redis;
    this.#lenient = lenient;
    this.publisher = new Publisher(redis.url);
  }

  async #fill({ cores, contenders, tenants, clientsPerTenant, strangers = 0 }: StageOptions): Promise<void> {
    this.audiences.push(...(await this.publisher.prepare(tenants)));
    this.strangers.push(...(await this.publisher.prepare(strangers)));
    const everyone = this.audiences.flatMap((audience) =>
      Array.from({ length: clientsPerTenant }, () => audience),
    );
    for (const name of contenders) {
      const server = await startServer(name, { redisUrl: this.redis.url, cores });
      this.#servers.push(server);
      const clients = await Clients.connect(server, everyone);
      this.contenders.push({ name, server, clients });
    }
  }

  contender(name: ContenderName): Contender {
    const found = this.contenders.find((contender) => contender.name === name);
    if (found === undefined) throw new Error(`there is no ${name} here`);
    return found;
  }

  /**
   * Loads one contender and measures its server from the first event to the last delivery.
   * @throws {LateLoadError} if the events could not be offered at their rate.
   * @throws {Error} if a delivery is missing or arrived twice.
   */
  async #window({ name, server, clients }: Contender, load: Load): Promise<Window> {
    const { events, perSecond, backlog = false, timed = false } = load;
    const each = events / this.audiences.length;
    if (!Number.isInteger(each)) throw new Error('each tenant must get as many events as the others');
    const deliveries = each * clients.count;
    await delay(SETTLE_MS);
    await clients.expect(deliveries, { timed });

    if (backlog) server.process.pause();
    const publish = () =>
      this.publisher.publish({ contender: name, audiences: this.audiences, events, perSecond });
    const early = backlog ? await publish() : undefined;
    const cpuBefore = cpuTimeOf(server.process.pid);
    const begun = performance.now();
    server.process.resume();
    const [, published] = await Promise.all([clients.arrived(), early ?? publish()]);
    const cpu = cpuTimeOf(server.process.pid) - cpuBefore;
    const elapsedMs = performance.now() - begun;

    await delay(SETTLE_MS);
    const { received, fewest, most, latencies } = await clients.tally();
    if (received !== deliveries || fewest !== each || most !== each) {
      throw new Error(
        `the ${name} made ${received} deliveries instead of ${deliveries}: ${fewest} to ${most} a client instead of ${each}`,
      );
    }
    this.#requireRate(name, published, load);
    return {
      perEvent: cpu / events,
      perDelivery: cpu / deliveries,
      busy: cpu / 1_000 / elapsedMs,
      publishedPerSecond: (events * 1_000) / published.elapsedMs,
      latencies,
    };
  }

  /** A window whose load kept its rate. A window that did not is invalid, and is repeated a few times. */
  async #steadyWindow(contender: Contender, load: Load): Promise<Window> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#window(contender, load);
      } catch (error) {
        if (!(error instanceof LateLoadError) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  #requireRate(name: ContenderName, { elapsedMs }: Published, load: Load): void {
    const { events, perSecond = 0, atLeastPerSecond = 0.9 * perSecond } = load;
    const missing = atLeastPerSecond * (elapsedMs - LATE_MS) > events * 1_000;
    if (missing && !this.#lenient) {
      throw new LateLoadError(
        `events for the ${name} could not be offered at ${perSecond}/s: the machine is too busy`,
      );
    }
  }

  /** Loads the contenders in turns: one warm-up round, which does not count, and then `count` rounds. */
  async rounds(count: number, load: Load): Promise<Rounds<Window>> {
    const windows: Partial<Record<ContenderName, Window[]>> = {};
    for (let round = 0; round <= count; round += 1) {
      for (const contender of this.contenders) {
        const window = await this.#steadyWindow(contender, load);
        if (round > 0) windows[contender.name] = [...(windows[contender.name] ?? []), window];
      }
    }
    return windows;
  }

  async stop(): Promise<void> {
    await Promise.all([this.publisher.stop(), ...this.contenders.map(({ clients }) => clients.stop())]);
    await Promise.all(this.#servers.map(({ process }) => process.kill()));
    await this.redis.stop();
  }
}
