import { setTimeout as delay } from 'node:timers/promises';
import type { Cores } from '../harness/cores.js';
import { cpuTimeOf } from '../harness/cpu-time.js';
import { BenchRedis } from '../harness/redis.js';
import type { Contender, ContenderName } from './contender.js';
import { Peer } from './peer.js';
import { Product, type SessionSettingsChange } from './product.js';
import type { ChatKind, Session } from './protocol.js';
import { WhatsApp } from './whatsapp.js';

/** The work of a contender's processes for a known number of messages or logins. */
export interface Window {
  /** CPU of the processes per message or login, µs. */
  readonly perUnit: number;
  /** The same without the idle CPU of the processes, if `idleMs` was set. */
  readonly perUnitBeyondIdle: number;
  /** CPU of Redis per message or login, µs. */
  readonly redisPerUnit: number;
  /** How long each message that was sent took until its caller knew that it is acknowledged, ms. */
  readonly sendTimes: readonly number[];
}

/** How a window's messages are offered. */
export interface Load {
  /** `in`: people write to the sessions. `out`: the sessions write. */
  readonly direction: 'in' | 'out';
  readonly chat: ChatKind;
  /** Messages of each session. */
  readonly each: number;
  readonly perSecond: number;
  /** How long the idle CPU of the process is measured before, ms. */
  readonly idleMs?: number;
  /** Whether sends are repeatable: each with an `Idempotency-Key`, where the contender has them. */
  readonly isKeyed?: boolean;
}

/** Work that follows the last message belongs to the window. */
const SETTLE_MS = 500;
/** Time for the requests of Baileys after a login. */
const SETTLE_LOGIN_MS = 2_000;

/** One WhatsApp and one Redis. All contenders run at the same time and are loaded in turns. */
export class Stage {
  readonly redis: BenchRedis;
  readonly #whatsapp: WhatsApp;
  readonly #cores: Cores;
  readonly #contenders: Contender[] = [];
  #windows = 0;

  static async start(cores: Cores): Promise<Stage> {
    const redis = await BenchRedis.start({ appendOnly: true });
    try {
      return new Stage(redis, await WhatsApp.start(), cores);
    } catch (error) {
      await redis.stop();
      throw error;
    }
  }

  private constructor(redis: BenchRedis, whatsapp: WhatsApp, cores: Cores) {
    this.redis = redis;
    this.#whatsapp = whatsapp;
    this.#cores = cores;
  }

  /**
   * Starts a contender with this number of open sessions.
   * @param options.hasEdge whether the product's messages are sent by REST calls to an edge, not by commands to the worker.
   * @param options.settings what is set for the sessions of a product. Default: nothing.
   */
  async add(
    name: ContenderName,
    sessions: number,
    {
      hasEdge = false,
      settings,
    }: { readonly hasEdge?: boolean; readonly settings?: SessionSettingsChange } = {},
  ): Promise<Contender> {
    const surroundings = { whatsapp: this.#whatsapp, cores: this.#cores, redis: this.redis };
    const contender = await (name === 'product'
      ? Product.start({ ...surroundings, hasEdge, settings })
      : Peer.start(surroundings));
    this.#contenders.push(contender);
    await contender.add(sessions);
    return contender;
  }

  /**
   * Lets people and sessions write to each other, once in each direction, so that they know each other's keys. Until a
   * message is answered, each message to that person is a first message, which needs more CPU.
   */
  async acquaint(contender: Contender, chat: ChatKind, perSecond: number): Promise<void> {
    await this.messages(contender, { direction: 'in', chat, each: 1, perSecond });
    await this.messages(contender, { direction: 'out', chat, each: 1, perSecond });
  }

  /**
   * Loads a contender. Measures its processes from the first message until all work after the last one is done.
   * @throws {Error} if a message is lost in the contender or on the way to people.
   */
  async messages(
    contender: Contender,
    { direction, idleMs = 0, isKeyed = false, ...load }: Load,
  ): Promise<Window> {
    this.#windows += 1;
    const idlePerMs = await idleOf(contender, idleMs);
    const sessions = contender.sessions.map(({ id }) => id);
    const writing = { label: `${contender.name}${this.#windows}`, sessions, ...load };
    const count = sessions.length * load.each;
    return this.#measured(contender, { units: count, settleMs: SETTLE_MS, idlePerMs }, async () => {
      let sendTimes: number[] = [];
      if (direction === 'in') await this.#whatsapp.write(writing);
      else {
        sendTimes = await contender.send(writing, { isKeyed });
        await this.#whatsapp.delivered(writing);
      }
      const arrived = await contender.arrived(writing.label, count);
      contender.tally.offered += count;
      contender.tally.arrived += arrived;
      if (arrived !== count) throw new Error(`${arrived} of ${count} messages arrived`);
      return sendTimes;
    });
  }

  /** Makes sessions log in again, and measures their process. */
  logins(contender: Contender, sessions: readonly Session[]): Promise<Window> {
    const ids = sessions.map(({ id }) => id);
    const measurement = { units: ids.length, settleMs: SETTLE_LOGIN_MS, idlePerMs: 0 };
    return this.#measured(contender, measurement, async () => {
      await this.#whatsapp.restart(ids);
      return [];
    });
  }

  async #measured(
    { name, pids }: Contender,
    { units, settleMs, idlePerMs }: { units: number; settleMs: number; idlePerMs: number },
    work: () => Promise<readonly number[]>,
  ): Promise<Window> {
    const used = async () => ({
      at: performance.now(),
      own: cpuTimesOf(pids),
      redis: await this.redis.cpuTime(),
    });
    const before = await used();
    let sendTimes: readonly number[];
    try {
      sendTimes = await work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`the ${name}: ${reason}`, { cause: error });
    }
    await delay(settleMs);
    const after = await used();
    const own = after.own - before.own;
    return {
      perUnit: own / units,
      perUnitBeyondIdle: (own - idlePerMs * (after.at - before.at)) / units,
      redisPerUnit: (after.redis - before.redis) / units,
      sendTimes,
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#contenders.map((contender) => contender.stop()));
    await this.#whatsapp.stop();
    await this.redis.stop();
  }
}

/** CPU of the process, µs per ms. 0 if it is not measured. */
async function idleOf({ pids }: Contender, milliseconds: number): Promise<number> {
  if (milliseconds === 0) return 0;
  const before = cpuTimesOf(pids);
  await delay(milliseconds);
  return (cpuTimesOf(pids) - before) / milliseconds;
}

/** CPU time of several processes, µs. */
function cpuTimesOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuTimeOf(pid), 0);
}
