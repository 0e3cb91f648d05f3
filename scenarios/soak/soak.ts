import { setTimeout as delay } from 'node:timers/promises';
import { WafleetClient } from '@wafleet/client';
import {
  type Cluster,
  LoadBalancer,
  startCluster,
  type TestTenant,
  waitFor,
  waitForStatus,
} from '@wafleet/testkit';
import { readEntries } from '../support/event-log.js';
import { type LinkedSession, linkedAnew, linkSessions, type Phone } from '../support/linked-sessions.js';
import { MixedTraffic, type SentMessage } from '../support/mixed-traffic.js';
import { SeededRandom } from '../support/seeded-random.js';
import { FaultInjector } from './fault-injector.js';
import { storeAlways } from './faults.js';
import { MemoryWatch } from './memory-watch.js';
import { OutgoingTexts, type SendDifferences } from './outgoing-texts.js';
import { SoakClient } from './soak-client.js';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Mean time between two faults. */
  readonly faultEveryMs: number;
  /** Messages to all sessions together, per second. */
  readonly messagesPerSecond: number;
  /** Texts that are sent by REST, per second. */
  readonly sendsPerSecond: number;
}

/** What a soak found. Each list of violations is empty if the product keeps its promises. */
export interface SoakResult {
  readonly seconds: number;
  readonly sessions: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly sent: number;
  readonly deliveries: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** From the moment WhatsApp has a message to its arrival at a client, ms. */
  readonly latenciesMs: readonly number[];
  /** The longest time that a client was without a message. */
  readonly longestGap: LongestGap;
  /** Every fault that happened, in the order of their starts. */
  readonly timeline: readonly string[];
  /** Messages that could not be decrypted at first. */
  readonly healed: number;
  /** Messages that came in two events, which a fault explains. */
  readonly explainedDuplicates: readonly string[];
  readonly peakMemoryMiB: Readonly<Record<string, number>>;
  readonly violations: SoakViolations;
}

export interface LongestGap {
  readonly client: string;
  readonly ms: number;
  /** The faults that may have caused it. */
  readonly faults: readonly string[];
}

export interface SoakViolations {
  readonly lost: readonly string[];
  readonly unexplainedDuplicates: readonly string[];
  readonly disordered: readonly string[];
  readonly foreign: readonly string[];
  /** Differences between a client's events and its tenant's log, and what does not keep to the contract. */
  readonly stream: readonly string[];
  /** Sessions that are not open and working again, or had to be linked again. */
  readonly stuck: readonly string[];
  readonly sends: SendDifferences;
  /** Processes that ended on their own, did not end when asked, or did not start. */
  readonly processes: readonly string[];
}

const TENANTS = [
  { name: 'first', prefix: 'A-', sessions: 24 },
  { name: 'second', prefix: 'B-', sessions: 16 },
];
const CLIENTS: readonly ('polling' | 'websocket')[][] = [['polling', 'websocket'], ['websocket']];
const READERS = 8;
/** A session that WhatsApp rate-limits, or whose connection was replaced, pauses for minutes. */
const HEAL_MS = 420_000;

interface Tenant extends TestTenant {
  readonly prefix: string;
  readonly sessions: readonly LinkedSession[];
  readonly traffic: MixedTraffic;
  readonly texts: OutgoingTexts;
  readonly readers: readonly Phone[];
  readonly clients: SoakClient[];
}

/** A cluster of three workers, two edges and two placers under steady traffic, while random parts of it break. */
export class Soak {
  readonly #options: SoakOptions;
  readonly #cluster: Cluster;
  readonly #balancer: LoadBalancer<{ url: string; port: number }>;
  readonly #tenants: readonly Tenant[];
  readonly #memory: MemoryWatch;

  static async prepare(options: SoakOptions): Promise<Soak> {
    const cluster = await startCluster({
      workers: 3,
      edges: 2,
      placers: 2,
      environment: {
        PLACEMENTS_PER_SECOND: '50',
        CONNECTS_PER_SECOND: '20',
        // The clients are compared with all that was sent since the beginning.
        EVENT_LOG_LENGTH: '2000000',
        TENANT_LIMITS: 'logBytes=2000000000,historyBytes=2000000000',
        PEER_HOST: '127.0.0.1',
        LOG_LEVEL: 'info',
      },
    });
    await storeAlways(cluster);
    const balancer = await LoadBalancer.open(() => cluster.edges);
    const random = new SeededRandom(options.seed);
    const tenants: Tenant[] = [];
    for (const { name, prefix, sessions: count } of TENANTS) {
      const made = await cluster.addTenant(name);
      const tenant = { ...made, client: new WafleetClient({ url: () => balancer.url, key: made.apiKey }) };
      const sessions = await linkSessions(cluster, tenant, count);
      const readers = Array.from({ length: READERS }, (_, index) =>
        cluster.simulator.addPhone({ name: `Reader ${prefix}${index}` }),
      );
      const traffic = new MixedTraffic({ cluster, sessions, random, prefix });
      const texts = new OutgoingTexts({ tenant, prefix, sessions, readers, random });
      const clients = await Promise.all(
        CLIENTS.map((transports, index) =>
          SoakClient.start({ name: `${name} ${index}`, tenant, prefix, port: balancer.port, transports }),
        ),
      );
      tenants.push({ ...tenant, prefix, sessions, traffic, texts, readers, clients });
    }
    return new Soak({ options, cluster, balancer, tenants });
  }

  private constructor(parts: {
    options: SoakOptions;
    cluster: Cluster;
    balancer: LoadBalancer<{ url: string; port: number }>;
    tenants: readonly Tenant[];
  }) {
    this.#options = parts.options;
    this.#cluster = parts.cluster;
    this.#balancer = parts.balancer;
    this.#tenants = parts.tenants;
    this.#memory = new MemoryWatch(parts.cluster);
  }

  /** Runs traffic and faults for the given time, lets everything recover, and compares. */
  async run(onProgress: (line: string) => void): Promise<SoakResult> {
    const { minutes, seed, faultEveryMs } = this.#options;
    const startedAt = Date.now();
    const faultsEnd = AbortSignal.timeout(minutes * 60_000);
    const injector = new FaultInjector({
      cluster: this.#cluster,
      random: new SeededRandom(seed + 1),
      sessions: this.#tenants.flatMap(({ sessions }) => sessions),
      clients: this.#tenants.flatMap(({ clients }) => clients),
      busy: new Set(),
      signal: faultsEnd,
    });
    const trafficEnd = new AbortController();
    const traffic = this.#sendAll(trafficEnd.signal);
    const progress = setInterval(() => onProgress(this.#progress(injector)), 60_000);
    try {
      await injector.run(faultEveryMs);
      onProgress(`faults are over: ${this.#progress(injector)}`);
      // Some traffic after the last fault shows that everything works again.
      await delay(10_000);
    } finally {
      clearInterval(progress);
      trafficEnd.abort();
      await traffic;
    }
    const stuck = await this.#healed();
    await this.#memory.stop();
    return this.#compare({ injector, stuck, startedAt });
  }

  async end(): Promise<void> {
    await this.#memory.stop();
    for (const { clients } of this.#tenants) for (const client of clients) await client.close();
    await this.#balancer.close();
    await this.#cluster.stop();
  }

  async #sendAll(signal: AbortSignal): Promise<void> {
    const { messagesPerSecond, sendsPerSecond, seed } = this.#options;
    const random = new SeededRandom(seed + 2);
    const repeat = async (perSecond: number, send: () => Promise<unknown>) => {
      let due = Date.now();
      while (!signal.aborted) {
        due = Math.max(due + 1_000 / perSecond, Date.now() - 1_000);
        await send();
        await delay(Math.max(0, due - Date.now()), undefined, { signal }).catch(() => {});
      }
    };
    await Promise.all([
      repeat(messagesPerSecond, () => random.oneOf(this.#tenants).traffic.sendOne()),
      repeat(sendsPerSecond, async () => random.oneOf(this.#tenants).texts.sendOne()),
    ]);
  }

  /** Waits until everything works again and has arrived. Returns what does not. */
  async #healed(): Promise<string[]> {
    const stuck: string[] = [];
    await Promise.all(
      this.#tenants.flatMap((tenant) =>
        tenant.sessions.map(async ({ id }) => {
          try {
            await waitForStatus(tenant.client, id, 'open', HEAL_MS);
          } catch (error) {
            stuck.push(`${tenant.prefix}${id}: ${error instanceof Error ? error.message : String(error)}`);
          }
        }),
      ),
    );
    for (const { texts } of this.#tenants) await texts.answered();
    const arrived = () => this.#lost().length === 0;
    await waitFor(arrived, { what: 'every message', timeoutMs: 120_000, intervalMs: 500 }).catch(() => {});
    const readable = () =>
      this.#tenants.every(({ texts }) => texts.differences.acknowledgedButMissing.length === 0);
    await waitFor(readable, { what: 'every text', timeoutMs: 60_000, intervalMs: 500 }).catch(() => {});
    for (const tenant of this.#tenants) {
      for (const id of linkedAnew(tenant.sessions)) stuck.push(`${tenant.prefix}${id}: it was linked again`);
      for (const { id } of tenant.sessions) {
        const [reader] = tenant.readers;
        if (reader === undefined) throw new Error('a tenant needs readers');
        try {
          const { messageId } = await tenant.client.call('send-message', {
            params: { id },
            body: { to: reader.number, text: `${tenant.prefix}LAST ${id}` },
          });
          await reader.waitForMessage((message) => message.id === messageId);
        } catch (error) {
          stuck.push(
            `${tenant.prefix}${id} cannot send: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
      }
    }
    return stuck;
  }

  async #compare(parts: {
    injector: FaultInjector;
    stuck: readonly string[];
    startedAt: number;
  }): Promise<SoakResult> {
    const { injector, stuck, startedAt } = parts;
    const seconds = Math.round((Date.now() - startedAt) / 1_000);
    const duplicates = this.#duplicates(injector);
    const stream: string[] = [];
    for (const tenant of this.#tenants) {
      for (const client of tenant.clients) stream.push(...(await this.#streamFaults(tenant, client)));
    }
    const differences = this.#tenants.map(({ texts }) => texts.differences);
    const clients = this.#tenants.flatMap((tenant) => tenant.clients);
    const deliveries = this.#tenants.flatMap(({ traffic, clients: readers }) =>
      readers.flatMap((client) =>
        traffic.sent.flatMap(({ id, at }) => {
          const [first] = client.receipts.get(id)?.arrivals ?? [];
          return first === undefined ? [] : [first.at - at];
        }),
      ),
    );
    const outcomes: Record<string, number> = {};
    for (const { texts } of this.#tenants) {
      for (const [outcome, count] of Object.entries(texts.outcomes))
        outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
    }
    return {
      seconds,
      sessions: this.#tenants.reduce((sum, { sessions }) => sum + sessions.length, 0),
      faults: injector.counts,
      sent: this.#tenants.reduce((sum, { traffic }) => sum + traffic.sent.length, 0),
      deliveries: deliveries.length,
      outcomes,
      latenciesMs: deliveries,
      longestGap: longestGap(clients, injector),
      timeline: injector.timeline(startedAt),
      healed: this.#tenants.reduce((sum, { traffic, clients: [client] }) => {
        return sum + traffic.sent.filter(({ id }) => (client?.receipts.get(id)?.notices ?? 0) > 0).length;
      }, 0),
      explainedDuplicates: duplicates.explained,
      peakMemoryMiB: this.#memory.peaks,
      violations: {
        lost: this.#lost(),
        unexplainedDuplicates: duplicates.unexplained,
        disordered: this.#tenants.flatMap((tenant) =>
          tenant.clients.flatMap((client) => disordered(tenant, client)),
        ),
        foreign: clients.flatMap(({ name, foreign }) => foreign.map((text) => `${name} got ${text}`)),
        stream,
        stuck,
        sends: {
          acknowledgedButMissing: differences.flatMap((each) => each.acknowledgedButMissing),
          doubled: differences.flatMap((each) => each.doubled),
          refusedButSent: differences.flatMap((each) => each.refusedButSent),
        },
        processes: [...injector.failures, ...this.#cluster.crashes()],
      },
    };
  }

  #lost(): string[] {
    return this.#tenants.flatMap(({ traffic, clients }) =>
      clients.flatMap((client) =>
        traffic.sent.filter(({ id }) => !client.has(id)).map((message) => describe(message, client)),
      ),
    );
  }

  #duplicates(injector: FaultInjector): { explained: string[]; unexplained: string[] } {
    const explained: string[] = [];
    const unexplained: string[] = [];
    for (const { traffic, clients } of this.#tenants) {
      const [client] = clients;
      if (client === undefined) continue;
      for (const message of traffic.sent) {
        const { arrivals = [], notices = 0 } = client.receipts.get(message.id) ?? {};
        if (arrivals.length < 2) continue;
        const faults = injector.between(message.at, arrivals.at(-1)?.at ?? message.at);
        const times = arrivals.map(({ at }) => at - message.at).join(', ');
        const text = `${describe(message, client)}, arrived after ${times} ms, ${notices} notices, faults: ${faults.join(', ')}`;
        (faults.length > 0 || notices > 0 ? explained : unexplained).push(text);
      }
    }
    return { explained, unexplained };
  }

  async #streamFaults(tenant: Tenant, { name, sequence }: SoakClient): Promise<string[]> {
    const entries = await readEntries(this.#cluster, tenant.id, sequence.subscribedAt);
    const { missing, unknown, disordered: late } = await sequence.differencesFrom(entries);
    return [
      ...missing.map((id) => `${name} lacks ${id}`),
      ...unknown.map((id) => `${name} has ${id}, which is not in the log`),
      ...late.map((ids) => `${name} got ${ids}`),
      ...sequence.faults.map((fault) => `${name}: ${fault}`),
      ...sequence.resets.map((reset) => `${name} was reset: ${JSON.stringify(reset)}`),
    ];
  }

  #progress(injector: FaultInjector): string {
    const sent = this.#tenants.reduce((sum, { traffic }) => sum + traffic.sent.length, 0);
    const { workers, edges, placers } = this.#cluster;
    return [
      `${injector.records.length} faults, ${sent} messages, ${this.#lost().length} deliveries outstanding`,
      `${workers.length} workers, ${edges.length} edges, ${placers.length} placers`,
      `peak MiB ${JSON.stringify(this.#memory.peaks)}`,
    ].join('; ');
  }
}

function longestGap(clients: readonly SoakClient[], injector: FaultInjector): LongestGap {
  const [longest] = clients
    .map(({ name, longestGap: { from, to } }) => ({ client: name, from, to, ms: to - from }))
    .sort((a, b) => b.ms - a.ms);
  if (longest === undefined) throw new Error('a soak needs clients');
  return { client: longest.client, ms: longest.ms, faults: injector.during(longest.from, longest.to) };
}

function describe({ id, kind, sessionId, at }: SentMessage, { name }: SoakClient): string {
  return `${id} (${kind}) to ${sessionId} at ${new Date(at).toISOString()} for ${name}`;
}

/** Senders whose messages first arrived in another order than they were sent. */
function disordered({ traffic }: Tenant, client: SoakClient): string[] {
  return [...traffic.orders].flatMap(([lane, ids]) => {
    const received = client.orders.get(lane) ?? [];
    const expected = ids.filter((id) => client.has(id));
    return received.join() === expected.join() ? [] : [`${client.name}, ${lane}: ${received.join(' ')}`];
  });
}
