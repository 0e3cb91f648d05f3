import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { path as ffmpegPath } from '@ffmpeg-installer/ffmpeg';
import { WafleetClient } from '@wafleet/client';
import { freePort } from '@wafleet/local-redis';
import type { Phone, Simulator, SimulatorOptions } from '@wafleet/simulator';
import { AppProcess } from './app-process.js';
import { PROJECT_ROOT } from './project-root.js';
import { waitForStatus } from './sessions.js';
import { startRedis, type TestRedis } from './start-redis.js';
import { waitFor } from './wait-for.js';

export interface ClusterOptions {
  /** How many of each to start. Default: 1. */
  workers?: number;
  edges?: number;
  placers?: number;
  /** A running simulator, which the cluster does not stop, or the options of the cluster's own simulator. */
  simulator?: Simulator | SimulatorOptions;
  /** A running Redis, which the cluster does not stop. */
  redis?: TestRedis;
  /** Additional environment variables for every process. */
  environment?: Readonly<Record<string, string>>;
}

/** An edge and where it serves. */
export interface Edge {
  readonly url: string;
  readonly port: number;
  readonly process: AppProcess;
}

interface ClusterSettings {
  environment: Readonly<Record<string, string>>;
  ownsRedis: boolean;
  ownsSimulator: boolean;
}

/** A tenant with one API key. */
export interface TestTenant {
  readonly id: string;
  readonly apiKey: string;
  readonly client: WafleetClient;
}

/**
 * Starts a whole cluster: Redis and every worker, placer and edge in separate processes. The simulator runs in the
 * test's process, so that a test controls its people directly. The apps must be built.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { workers = 1, edges = 1, placers = 1 } = options;
  const redis = options.redis ?? (await startRedis());
  const given = options.simulator ?? {};
  const simulator = isRunning(given) ? given : await startSimulator(given);
  const cluster = new Cluster(redis, simulator, {
    environment: options.environment ?? {},
    ownsRedis: options.redis === undefined,
    ownsSimulator: simulator !== given,
  });
  const times = (count: number, add: () => Promise<unknown>) => Array.from({ length: count }, add);
  const started = await Promise.allSettled([
    ...times(placers, () => cluster.addPlacer()),
    ...times(workers, () => cluster.addWorker()),
    ...times(edges, () => cluster.addEdge()),
  ]);
  const failure = started.find((result) => result.status === 'rejected');
  if (failure === undefined) return cluster;
  await cluster.stop().catch(() => {});
  throw failure.reason;
}

function isRunning(simulator: Simulator | SimulatorOptions): simulator is Simulator {
  return 'addPhone' in simulator;
}

async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  // Loaded here because most tests that use this package start no cluster, and Baileys takes a second to load.
  const { Simulator } = await import('@wafleet/simulator');
  const simulator = new Simulator(options);
  await simulator.start();
  return simulator;
}

export class Cluster {
  readonly redis: TestRedis;
  readonly simulator: Simulator;
  /** The running processes. A process that was stopped or killed is removed from its list. */
  readonly workers: AppProcess[] = [];
  readonly placers: AppProcess[] = [];
  readonly edges: Edge[] = [];
  /** The administrator's calls, through any running edge. */
  readonly admin: WafleetClient;
  readonly adminToken = randomBytes(16).toString('hex');
  readonly #encryptionKey = randomBytes(32).toString('hex');
  readonly #settings: ClusterSettings;
  readonly #crashed: AppProcess[] = [];
  #started = 0;

  /** Use `startCluster`. */
  constructor(redis: TestRedis, simulator: Simulator, settings: ClusterSettings) {
    this.redis = redis;
    this.simulator = simulator;
    this.#settings = settings;
    this.admin = new WafleetClient({ url: () => this.#anyEdge().url, key: this.adminToken });
  }

  /** @param launcher see `AppProcessOptions`. */
  async addWorker(
    environment: Readonly<Record<string, string>> = {},
    launcher: readonly string[] = [],
  ): Promise<AppProcess> {
    const port = await freePort();
    const own = {
      HEALTH_PORT: String(port),
      ENCRYPTION_KEY: this.#encryptionKey,
      WHATSAPP_URL: this.simulator.url,
      WHATSAPP_ROOT_KEY: this.simulator.rootKey,
      ...environment,
    };
    const worker = await this.#start('worker', port, own, launcher);
    return this.#track(this.workers, worker, worker);
  }

  async addPlacer(environment: Readonly<Record<string, string>> = {}): Promise<AppProcess> {
    const port = await freePort();
    const placer = await this.#start('placer', port, {
      HEALTH_PORT: String(port),
      WHATSAPP_URL: this.simulator.url,
      ...environment,
    });
    return this.#track(this.placers, placer, placer);
  }

  /** @param port the port of an ended edge, to bring that edge back. Default: a free port. */
  async addEdge(environment: Readonly<Record<string, string>> = {}, port?: number): Promise<Edge> {
    const chosen = port ?? (await freePort());
    const process = await this.#start('edge', chosen, {
      PORT: String(chosen),
      ADMIN_TOKEN: this.adminToken,
      WHATSAPP_MEDIA_URL: `http://${this.simulator.host}`,
      FFMPEG_PATH: ffmpegPath,
      ...environment,
    });
    return this.#track(this.edges, { url: `http://127.0.0.1:${chosen}`, port: chosen, process }, process);
  }

  /** A new tenant with an API key. */
  async addTenant(name = 'a tenant'): Promise<TestTenant> {
    const { id } = await this.admin.call('create-tenant', { body: { name } });
    const { key } = await this.admin.call('create-key', { body: { tenantId: id } });
    return { id, apiKey: key, client: this.client(key) };
  }

  /** The REST calls of an API key, through one edge or through any running edge. */
  client(apiKey: string, edge?: Edge): WafleetClient {
    return new WafleetClient({ url: () => (edge ?? this.#anyEdge()).url, key: apiKey });
  }

  /** Lets a person scan the session's QR code, and resolves when the session is open. */
  async linkByQr(client: WafleetClient, sessionId: string, phone: Phone): Promise<void> {
    await this.#explain(async () => {
      const scan = async () => {
        const { qr } = await client.call('get-qr', { params: { id: sessionId } });
        await phone.scan(qr);
        return true;
      };
      await waitFor(scan, { what: `a QR code of ${sessionId} scanned`, timeoutMs: 60_000, intervalMs: 100 });
      await waitForStatus(client, sessionId, 'open');
    });
  }

  /** Lets a person type the session's pairing code, and resolves when the session is open. */
  async linkByCode(client: WafleetClient, sessionId: string, phone: Phone): Promise<void> {
    await this.#explain(async () => {
      const request = () =>
        client.call('pairing-code', { params: { id: sessionId }, body: { phone: phone.number } });
      const { code } = await waitFor(request, {
        what: `a pairing code of ${sessionId}`,
        timeoutMs: 60_000,
        intervalMs: 200,
      });
      await phone.enterCode(code);
      await waitForStatus(client, sessionId, 'open');
    });
  }

  /**
   * Stops workers, placers and edges. Redis and the simulator's people stay. Rejects if a process does not end with
   * exit code 0 or had crashed before.
   */
  async stopProcesses(): Promise<void> {
    const exits = await Promise.all(this.#processes().map(async (app) => ({ app, exit: await app.stop() })));
    const unclean = exits.filter(({ exit }) => exit.code !== 0).map(({ app }) => app);
    const reports = await Promise.all(
      [...this.#crashed.splice(0), ...unclean].map(async (app) => {
        const { code, signal } = await app.exited;
        return `${app.name} ended with ${signal ?? code}; ${app.logTail()}`;
      }),
    );
    if (reports.length > 0) throw new Error(reports.join('\n'));
  }

  /** The processes that have ended by themselves so far, each with the end of its log. */
  crashes(): string[] {
    return this.#crashed.map((app) => `${app.name} ended by itself; ${app.logTail()}`);
  }

  /** Stops everything that the cluster started. Rejects if a process stops uncleanly. */
  async stop(): Promise<void> {
    try {
      await this.stopProcesses();
    } finally {
      if (this.#settings.ownsSimulator) await this.simulator.stop();
      if (this.#settings.ownsRedis) await this.redis.stop();
    }
  }

  async #start(
    app: 'edge' | 'worker' | 'placer',
    port: number,
    ownEnvironment: Readonly<Record<string, string>>,
    launcher: readonly string[] = [],
  ): Promise<AppProcess> {
    this.#started += 1;
    const environment = {
      REDIS_URL: this.redis.url,
      HOST: '127.0.0.1',
      ...this.#settings.environment,
      ...ownEnvironment,
    };
    return AppProcess.start({
      name: `${app} #${this.#started}`,
      entry: join(PROJECT_ROOT, 'apps', app, 'dist/main.js'),
      launcher,
      environment,
      readyUrl: `http://${environment.HOST}:${port}/readyz`,
    });
  }

  #processes(): AppProcess[] {
    return [...this.edges.map(({ process }) => process), ...this.placers, ...this.workers];
  }

  #anyEdge(): Edge {
    const [edge] = this.edges;
    if (edge === undefined) throw new Error('no edge of the cluster is running');
    return edge;
  }

  /** Adds the warnings and errors of the processes to a failure, since they are rarely visible from outside. */
  async #explain<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      const complaints = this.#processes().flatMap((app) =>
        app.complaints().map((line) => `  ${app.name}: ${JSON.stringify(line)}`),
      );
      const message = error instanceof Error ? error.message : String(error);
      throw new Error([message, 'warnings and errors of the processes:', ...complaints].join('\n'), {
        cause: error,
      });
    }
  }

  /** Keeps a process on its list while it runs. */
  #track<T>(list: T[], entry: T, process: AppProcess): T {
    list.push(entry);
    process.exited.then(() => {
      list.splice(list.indexOf(entry), 1);
      if (process.crashed) this.#crashed.push(process);
    });
    return entry;
  }
}
