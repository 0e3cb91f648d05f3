import { setTimeout as delay } from 'node:timers/promises';
import { WafleetClient } from '@wafleet/client';
import { createLogger } from '@wafleet/runtime';
import { ApiKeys, connectRedis, type RedisConnection, TenantDirectory } from '@wafleet/store';
import { metricOf, waitFor, waitForStatus } from '@wafleet/testkit';
import { z } from 'zod';
import type { Cores } from '../harness/cores.js';
import { residentMemoryOf } from '../harness/cpu-time.js';
import { Program } from '../harness/program.js';
import { BenchRedis } from '../harness/redis.js';
import { Cluster, type Edge } from './cluster.js';
import {
  type AttackName,
  attackReply,
  measureReply,
  nothing,
  receivedReply,
  startReply,
  type Tenant,
  writeLargeReply,
  writeReply,
} from './protocol.js';

const program = (name: string) => new URL(`programs/${name}.js`, import.meta.url);

const VICTIM_SESSION = 'victim-1';
/** The maximum length of a key's list, with ids of the maximum length. */
const LISTED_SESSIONS = 1_000;
const LONGEST_ID = 64;
const READS_PER_SECOND = { attacked: 50, other: 25 };
const EVENTS_PER_SECOND = 25;
const LINKED_AT_ONCE = 5;
/** A window begins when the cluster has been idle for `forMs`: its CPU use was at most this share of the time. */
const IDLE = { forMs: 500, share: 0.15, timeoutMs: 30_000 };

export interface StageOptions {
  readonly cores: Cores;
  readonly attack: AttackName;
  /** Share of the described attack. */
  readonly scale: number;
  readonly workers: number;
  readonly attackerSessions: number;
  /** Past events of the attacker's tenant. */
  readonly log?: { readonly events: number; readonly bytes: number };
  /** Whether each attacked window has a new tenant as its attacker, since the last one used up its limits. */
  readonly newTenants?: boolean;
  /** Messages that the neighbour sends per second. */
  readonly sendsPerSecond?: number;
  /** Whether the neighbour links a session in each window. */
  readonly links?: boolean;
  /** Sizes of the messages that are sent to the attacker's first session. */
  readonly largeMessages?: { readonly megabytes: readonly number[]; readonly everyMs: number };
}

/** The neighbour's measurements in a window, and the attacker's outcomes. */
export interface Window {
  readonly measured: z.infer<typeof measureReply>;
  readonly received: z.infer<typeof receivedReply>;
  readonly events: number;
  /** Resident memory of the attacked edge at the end of the window, MB. */
  readonly edgeMegabytes: number;
  /** Memory that Redis uses at the end of the window, MB. */
  readonly redisMegabytes: number;
  /** Empty in a quiet window. */
  readonly attack: Readonly<Record<string, number>>;
}

/** A cluster, a WhatsApp, a measured tenant and an attacking tenant, in separate processes. */
export class Stage {
  readonly #options: StageOptions;
  readonly #redis: BenchRedis;
  readonly #connection: RedisConnection;
  readonly #whatsapp: Program;
  readonly #victim = new Program('victim', program('victim'), []);
  readonly #attacker: Program;
  readonly #attackers: string[] = [];
  #cluster: Cluster | undefined;
  #tenant: Tenant | undefined;
  #recipient = '';
  #windows = 0;

  static async start(options: StageOptions): Promise<Stage> {
    const stage = new Stage(options, await BenchRedis.start({ appendOnly: true }));
    try {
      await stage.#fill();
      return stage;
    } catch (error) {
      await stage.stop();
      throw error;
    }
  }

  private constructor(options: StageOptions, redis: BenchRedis) {
    this.#options = options;
    this.#redis = redis;
    const logger = createLogger({ app: 'benchmark', level: 'warn' });
    this.#connection = connectRedis({ url: redis.url, role: 'command', name: 'stage', logger });
    this.#whatsapp = new Program('WhatsApp', program('whatsapp'), []);
    this.#attacker = new Program('attacker', program('attacker'), [redis.url]);
  }

  get #running(): Cluster {
    if (this.#cluster === undefined) throw new Error('the cluster is not running');
    return this.#cluster;
  }

  async #fill(): Promise<void> {
    const { cores, workers, attackerSessions } = this.#options;
    this.#redis.measureOn(cores);
    const whatsapp = await this.#whatsapp.call('start', {}, startReply);
    this.#cluster = await Cluster.start({ redisUrl: this.#redis.url, whatsapp, cores, workers });
    this.#recipient = await this.#whatsapp.call('add-person', {}, z.string());
    const victim = await this.#addTenant();
    await this.#link(victim, [VICTIM_SESSION]);
    const { attackedEdge, otherEdge } = this.#running;
    const ports = { attacked: attackedEdge.port, other: otherEdge.port };
    const { apiKey } = victim;
    const request = { ports, apiKey, sessionId: VICTIM_SESSION, recipient: this.#recipient };
    await this.#victim.call('connect', request, nothing);
    this.#tenant = await this.#addAttacker();
    const names = Array.from({ length: attackerSessions }, (_, index) => `attacker-${index + 1}`);
    await this.#link(this.#tenant, names);
    this.#attackers.push(...names);
  }

  async #addTenant(): Promise<Tenant> {
    const { id: tenantId } = await new TenantDirectory(this.#connection).create('benchmark');
    const apiKeys = new ApiKeys(this.#connection);
    const { key: apiKey } = await apiKeys.create(tenantId);
    const sessions = Array.from({ length: LISTED_SESSIONS }, (_, index) =>
      index === 0 ? 'filler' : `${index}-`.padEnd(LONGEST_ID, 'x'),
    );
    const { key: listKey } = await apiKeys.create(tenantId, { scopes: ['events:read'], sessions });
    return { tenantId, apiKey, listKey };
  }

  async #addAttacker(): Promise<Tenant> {
    const tenant = await this.#addTenant();
    const { log, scale } = this.#options;
    if (log !== undefined) {
      const { bytes } = log;
      await this.#attacker.call('fill', { tenant, bytes, events: Math.ceil(log.events * scale) }, nothing);
    }
    return tenant;
  }

  /** Links each session to a phone of its own. Resolves when all are open. */
  async #link({ apiKey }: Tenant, sessionIds: readonly string[]): Promise<void> {
    const { port } = this.#running.attackedEdge;
    const client = new WafleetClient({ url: `http://127.0.0.1:${port}`, key: apiKey });
    const waiting = sessionIds.values();
    const linkSome = async () => {
      for (const sessionId of waiting) {
        await client.call('create-session', { body: { id: sessionId } });
        const scan = async () => {
          const { qr } = await client.call('get-qr', { params: { id: sessionId } });
          await this.#whatsapp.call('scan', { sessionId, qr }, nothing);
          return true;
        };
        await waitFor(scan, { what: `a QR code of ${sessionId}`, timeoutMs: 60_000, intervalMs: 100 });
        await waitForStatus(client, sessionId, 'open', 60_000);
      }
    };
    await Promise.all(Array.from({ length: LINKED_AT_ONCE }, linkSome));
  }

  /** Measures one window without an attack. */
  async quiet(forMs: number): Promise<Window> {
    await this.#idle();
    return this.#measured(forMs, async () => ({}));
  }

  /** Measures one window that begins with an attack. Resolves when all of the attack has ended. */
  async attacked(forMs: number): Promise<Window> {
    const { newTenants = false, attack: name, scale, largeMessages } = this.#options;
    const { attackedEdge } = this.#running;
    if (newTenants) this.#tenant = await this.#addAttacker();
    await this.#idle();
    const connections = await connectionsOf(attackedEdge);
    const request = {
      ...{ name, scale, port: attackedEdge.port, tenant: this.#tenant },
      ...{ sessions: this.#attackers, recipient: this.#recipient },
    };
    await this.#attacker.call('begin', request, nothing);
    const large =
      largeMessages &&
      this.#whatsapp.call(
        'write-large',
        { ...largeMessages, sessionId: this.#attackers[0], forMs },
        writeLargeReply,
      );
    const window = await this.#measured(forMs, async () => ({
      ...(large === undefined ? {} : { 'large messages': await large }),
      ...(await this.#attacker.call('end', {}, attackReply)),
    }));
    await waitFor(async () => (await connectionsOf(attackedEdge)) <= connections, {
      what: 'the connections of the attack closed',
      timeoutMs: 60_000,
    });
    return window;
  }

  /** Resolves when the effects of earlier load, such as receipts of messages, are over. */
  async #idle(): Promise<void> {
    const isIdle = async () => {
      const before = this.#running.cpuTime();
      await delay(IDLE.forMs);
      return this.#running.cpuTime() - before <= IDLE.forMs * IDLE.share;
    };
    await waitFor(isIdle, { what: 'an idle cluster', timeoutMs: IDLE.timeoutMs });
  }

  async #measured(forMs: number, endAttack: () => Promise<Record<string, number>>): Promise<Window> {
    const { sendsPerSecond: sends = 0, links = false } = this.#options;
    this.#windows += 1;
    const label = `w${this.#windows}`;
    const count = Math.round((EVENTS_PER_SECOND * forMs) / 1_000);
    const writing = { sessionId: VICTIM_SESSION, label, count, perSecond: EVENTS_PER_SECOND };
    const calls = { forMs, reads: READS_PER_SECOND, sends, links };
    const [measured, writtenAt] = await Promise.all([
      this.#victim.call('measure', calls, measureReply),
      this.#whatsapp.call('write', writing, writeReply),
    ]);
    const edgeMegabytes = residentMemoryOf(this.#running.attackedEdge.process.pid) / 1_000_000;
    const used = /^used_memory:(\d+)/m.exec(await this.#redis.command('INFO', 'memory'))?.[1];
    const redisMegabytes = Number(used) / 1_000_000;
    const attack = await endAttack();
    const received = await this.#victim.call('received', { label, writtenAt }, receivedReply);
    this.#running.requireRunning();
    requireWhole(received, count);
    return { measured, received, events: count, edgeMegabytes, redisMegabytes, attack };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#victim.stop(), this.#attacker.stop()]);
    await this.#cluster?.stop();
    await this.#whatsapp.stop();
    this.#connection.disconnect();
    await this.#redis.stop();
  }
}

function requireWhole(received: z.infer<typeof receivedReply>, count: number): void {
  for (const [edge, { missing, duplicates }] of Object.entries(received)) {
    if (missing > 0) throw new Error(`${missing} of ${count} events did not arrive through the ${edge} edge`);
    if (duplicates > 0) throw new Error(`${duplicates} events arrived twice through the ${edge} edge`);
  }
}

function connectionsOf({ port }: Edge): Promise<number> {
  return metricOf({ url: `http://127.0.0.1:${port}` }, 'wafleet_edge_sockets{namespace="/api/events"}');
}
