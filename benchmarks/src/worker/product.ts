import { randomBytes, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { EventPosition, SessionSettings } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import {
  CommandClient,
  connectRedis,
  EventLog,
  type RedisConnection,
  SessionDirectory,
  SessionSettingsRecords,
  TenantDirectory,
  WorkerRegistry,
} from '@wafleet/store';
import { AppProcess, freePort, waitFor } from '@wafleet/testkit';
import type { Cores } from '../harness/cores.js';
import { paced } from '../harness/paced.js';
import type { BenchRedis } from '../harness/redis.js';
import { Arrivals } from './arrivals.js';
import type { Contender, SendOptions, Tally } from './contender.js';
import { ProductEdge } from './product-edge.js';
import { type Session, textOf, turnsOf, type Writing } from './protocol.js';
import type { WhatsApp } from './whatsapp.js';

const WORKER = fileURLToPath(new URL('../../../apps/worker/dist/main.js', import.meta.url));
const ENCRYPTION_KEY = randomBytes(32).toString('hex');
const CALL = { deadlineMs: 30_000 };
/** Number of sessions that are assigned before waiting until all of them are open. */
const ASSIGNED_AT_ONCE = 25;
const OPEN_MS = 60_000;
/** Number of events that are read from the log at a time, and the pause if there were none. */
const PAGE = 1_000;
const PAUSE_MS = 20;

const logger = createLogger({ app: 'benchmark', level: 'warn' });

export interface ProductOptions {
  readonly whatsapp: WhatsApp;
  readonly cores: Cores;
  readonly redis: BenchRedis;
  /** Whether messages are sent by REST calls to an edge of its own. Otherwise by commands to the worker. */
  readonly hasEdge: boolean;
  /** What is set for its sessions. */
  readonly settings?: SessionSettingsChange | undefined;
}

export type SessionSettingsChange = Partial<Pick<SessionSettings, 'lists'>>;

/** A worker of Wafleet as in a deployment, with an edge if wanted. All its sessions belong to one tenant. Its log is read as by an edge. */
export class Product implements Contender {
  readonly name = 'product';
  readonly sessions: Session[] = [];
  readonly tally: Tally = { offered: 0, arrived: 0 };
  readonly inspectorPort: number;
  readonly #whatsapp: WhatsApp;
  readonly #redisUrl: string;
  readonly #tenantId: string;
  readonly #process: AppProcess;
  readonly #edge: ProductEdge | undefined;
  readonly #workerId: string;
  readonly #redis: RedisConnection;
  readonly #subscriber: RedisConnection;
  readonly #commands: CommandClient;
  readonly #settings: SessionSettingsChange | undefined;
  readonly #arrivals = new Arrivals();
  #isStopped = false;

  static async start(options: ProductOptions): Promise<Product> {
    const { whatsapp, cores, redis: bench, hasEdge, settings } = options;
    const { url } = bench;
    const connection = (role: 'command' | 'subscriber') =>
      connectRedis({ url, role, name: 'benchmark', logger });
    const redis = connection('command');
    const registry = new WorkerRegistry(redis);
    const others = new Set((await registry.list()).map(({ id }) => id));
    const inspectorPort = await freePort();
    const process = await startWorker({ redisUrl: url, whatsapp, cores, inspectorPort });
    const worker = (await registry.list()).find(({ id }) => !others.has(id));
    if (worker === undefined) throw new Error('the worker has no lease');
    const { id: tenantId } = await new TenantDirectory(redis).create('benchmark');
    const product = new Product({
      whatsapp,
      redisUrl: url,
      tenantId,
      process,
      edge: hasEdge ? await ProductEdge.start({ redis, redisUrl: url, tenantId, cores }) : undefined,
      workerId: worker.id,
      redis,
      subscriber: connection('subscriber'),
      inspectorPort,
      settings,
    });
    await product.#commands.start();
    void product.#readLog();
    return product;
  }

  private constructor(parts: {
    whatsapp: WhatsApp;
    redisUrl: string;
    tenantId: string;
    process: AppProcess;
    edge: ProductEdge | undefined;
    workerId: string;
    redis: RedisConnection;
    subscriber: RedisConnection;
    inspectorPort: number;
    settings: SessionSettingsChange | undefined;
  }) {
    this.#settings = parts.settings;
    this.#whatsapp = parts.whatsapp;
    this.#redisUrl = parts.redisUrl;
    this.#tenantId = parts.tenantId;
    this.#process = parts.process;
    this.#edge = parts.edge;
    this.#workerId = parts.workerId;
    this.#redis = parts.redis;
    this.#subscriber = parts.subscriber;
    this.inspectorPort = parts.inspectorPort;
    const clientId = randomUUID();
    this.#commands = new CommandClient({
      redis: parts.redis,
      subscriber: parts.subscriber,
      clientId,
      logger,
    });
  }

  get pid(): number {
    return this.#process.pid;
  }

  get pids(): readonly number[] {
    return this.#edge === undefined ? [this.pid] : [this.pid, this.#edge.pid];
  }

  async add(count: number): Promise<void> {
    const sessions = await this.#whatsapp.link(count, {
      kind: 'redis',
      redisUrl: this.#redisUrl,
      encryptionKey: ENCRYPTION_KEY,
      tenantId: this.#tenantId,
    });
    for (let from = 0; from < sessions.length; from += ASSIGNED_AT_ONCE) {
      await this.#open(sessions.slice(from, from + ASSIGNED_AT_ONCE));
    }
    this.sessions.push(...sessions);
  }

  async #open(sessions: readonly Session[]): Promise<void> {
    const directory = new SessionDirectory(this.#redis);
    const refs = sessions.map(({ id: sessionId }) => ({ tenantId: this.#tenantId, sessionId }));
    if (this.#settings !== undefined) {
      const records = new SessionSettingsRecords(this.#redis);
      const plain = { settings: this.#settings };
      await Promise.all(refs.map((ref) => records.replace(ref, 0, { plain })));
    }
    await Promise.all(
      refs.map((ref) => this.#commands.call(this.#workerId, { kind: 'assign', ...ref }, CALL)),
    );
    for (const ref of refs) {
      await waitFor(async () => (await directory.require(ref)).status === 'open', {
        what: `session ${ref.sessionId} open`,
        timeoutMs: OPEN_MS,
      });
    }
  }

  async send({ label, chat, perSecond, ...turns }: Writing, { isKeyed }: SendOptions): Promise<number[]> {
    const times: number[] = [];
    const byId = new Map(this.sessions.map((session) => [session.id, session]));
    await paced(turnsOf(turns), perSecond, async (sessionId, index) => {
      const to = byId.get(sessionId)?.[chat];
      if (to === undefined) throw new Error(`there is no session ${sessionId}`);
      const text = textOf(label, index);
      const begun = performance.now();
      if (this.#edge === undefined) await this.#command({ sessionId, messageId: text, to, text });
      else await this.#edge.send({ sessionId, to, text, ...(isKeyed ? { idempotencyKey: text } : {}) });
      times.push(performance.now() - begun);
    });
    return times;
  }

  async #command(fields: { sessionId: string; messageId: string; to: string; text: string }): Promise<void> {
    const command = { kind: 'send-text', tenantId: this.#tenantId, ...fields } as const;
    await this.#commands.call(this.#workerId, command, CALL);
  }

  arrived(label: string, count: number): Promise<number> {
    return this.#arrivals.settle(label, count);
  }

  async #readLog(): Promise<void> {
    const log = new EventLog(this.#redis);
    let after: EventPosition | undefined;
    while (!this.#isStopped) {
      const page = await log.read(this.#tenantId, { after, count: PAGE });
      after = page.end;
      for (const { event, body } of page.events) {
        if (event === 'messages.upsert') for (const text of textsIn(body)) this.#arrivals.add(text);
      }
      if (page.events.length === 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    this.#redis.disconnect();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#commands.stop();
    this.#subscriber.disconnect();
    await Promise.all([this.#process.kill(), this.#edge?.stop()]);
  }
}

async function startWorker(options: {
  redisUrl: string;
  whatsapp: WhatsApp;
  cores: Cores;
  inspectorPort: number;
}): Promise<AppProcess> {
  const { redisUrl, whatsapp, cores, inspectorPort } = options;
  const port = await freePort();
  return AppProcess.start({
    name: 'worker',
    entry: WORKER,
    launcher: cores.launcher,
    environment: {
      REDIS_URL: redisUrl,
      HOST: '127.0.0.1',
      HEALTH_PORT: String(port),
      ENCRYPTION_KEY,
      WHATSAPP_URL: whatsapp.url,
      WHATSAPP_ROOT_KEY: whatsapp.rootKey,
      WORKER_CAPACITY: '10000',
      CONNECTS_PER_SECOND: '1000',
      EVENT_LOG_LENGTH: '1000000',
      NODE_OPTIONS: `--inspect=127.0.0.1:${inspectorPort}`,
    },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
  });
}

/** The texts of the messages in an event. Quotes inside a text are escaped. */
function textsIn(body: Buffer): string[] {
  const found = body.toString().matchAll(/"(?:conversation|text)":"([^"\\]*)"/g);
  return [...found].map(([, text = '']) => text);
}
