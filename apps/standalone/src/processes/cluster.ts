import { freePort } from '@wafleet/local-redis';
import type { Lifecycle } from '@wafleet/runtime';
import { project } from '../project.js';
import { ChildApp, type ChildAppOptions } from './child-app.js';
import { provideFfmpeg } from './ffmpeg.js';
import { startStage } from './staged-start.js';

const WORKERS = 2;
const EDGES = 2;
const LOOPBACK = '127.0.0.1';

/** Longest wait for each kind of process to end: a worker must close sessions, an edge sockets. */
const STOP_MS = { edge: 12_000, placer: 25_000, worker: 30_000, simulator: 8_000 };

export interface ProcessOptions {
  readonly lifecycle: Lifecycle;
  readonly logLevel: string;
  readonly onLine: ChildAppOptions['onLine'];
  /** Called when a process ends unexpectedly. */
  readonly onDeath: (name: string, how: string) => void;
}

export interface ClusterOptions extends ProcessOptions {
  readonly redisUrl: string;
  /** The first edge's port. The others use the next ports. */
  readonly port: number;
  readonly host: string;
  readonly workerCapacity: number;
  /** What edges convert files with. Default: what there is on this machine. */
  readonly ffmpegPath: string | undefined;
  /** `PROXY_ALLOW` of workers and edges. */
  readonly proxyAllow: string;
  /** `FETCH_ALLOW` of edges. */
  readonly fetchAllow: string;
  readonly secrets: { readonly adminToken: string; readonly encryptionKey: string };
  /** Undefined values: those of the real service. */
  readonly whatsapp: {
    readonly url: string | undefined;
    readonly rootKey: string | undefined;
    readonly version: string | undefined;
    readonly mediaUrl: string | undefined;
  };
}

/** The ports that the edges listen on. */
export function edgePorts(firstPort: number): number[] {
  return Array.from({ length: EDGES }, (_, index) => firstPort + index);
}

interface GroupMember {
  readonly name: string;
  readonly entry: string;
  readonly port: number;
  readonly readyPath: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The address on which it listens. Default: loopback. */
  readonly host?: string;
}

/** Processes of one kind, which start and stop together. */
async function startGroup(
  options: ProcessOptions,
  kind: keyof typeof STOP_MS,
  members: readonly GroupMember[],
): Promise<readonly ChildApp[]> {
  const { lifecycle, logLevel, onLine, onDeath } = options;
  const apps = await startStage(lifecycle, {
    name: `${kind} processes`,
    start: () =>
      members.map(
        ({ name, entry, port, readyPath, environment, host = LOOPBACK }) =>
          new ChildApp({
            name,
            entry,
            environment: { ...environment, HOST: host, LOG_LEVEL: logLevel },
            readyUrl: `http://${reachable(host)}:${port}${readyPath}`,
            onLine,
          }),
      ),
    stop: async (started) => {
      await Promise.all(started.map((app) => app.stop(STOP_MS[kind])));
    },
    // Each ends or is killed within its own limit. The limit of the stage is longer than that.
    stopTimeoutMs: STOP_MS[kind] + 5_000,
  });
  for (const app of apps) {
    void app.ended.then((how) => {
      if (app.isReady && !lifecycle.isStopping) onDeath(app.name, how);
    });
  }
  return apps;
}

/** An address at which to reach a server that listens on `host`. */
function reachable(host: string): string {
  return host === '0.0.0.0' || host === '::' ? LOOPBACK : host;
}

async function allReady(groups: readonly (readonly ChildApp[])[]): Promise<void> {
  await Promise.all(groups.flat().map((app) => app.ready()));
}

/**
 * Starts the simulated WhatsApp. Resolves, when it is ready, to its base URL, e.g. `http://127.0.0.1:4711`.
 * @throws {StartError | StartInterrupted}
 */
export async function startSimulator(options: ProcessOptions): Promise<string> {
  const port = await freePort();
  const group = await startGroup(options, 'simulator', [
    {
      name: 'simulator',
      entry: project.simulator,
      port,
      readyPath: '/healthz',
      environment: { PORT: String(port) },
    },
  ]);
  await allReady([group]);
  return `http://${LOOPBACK}:${port}`;
}

/**
 * Starts workers, placer and edges. Resolves, when all of them are ready, to the edges' URLs. They stop in the opposite
 * order, so that no edge needs a worker that is gone.
 * @throws {StartError | StartInterrupted}
 */
export async function startCluster(options: ClusterOptions): Promise<string[]> {
  const { redisUrl, port, host, workerCapacity, proxyAllow, fetchAllow, secrets, whatsapp } = options;
  const shared = { REDIS_URL: redisUrl };

  const workers = await startGroup(
    options,
    'worker',
    await Promise.all(
      Array.from({ length: WORKERS }, async (_, index) => {
        const healthPort = await freePort();
        return {
          name: `worker ${index + 1}`,
          entry: project.worker,
          port: healthPort,
          readyPath: '/readyz',
          environment: {
            ...shared,
            HEALTH_PORT: String(healthPort),
            ENCRYPTION_KEY: secrets.encryptionKey,
            WORKER_CAPACITY: String(workerCapacity),
            PROXY_ALLOW: proxyAllow,
            // A variable that is set to the empty string counts as not set.
            WHATSAPP_URL: whatsapp.url ?? '',
            WHATSAPP_ROOT_KEY: whatsapp.rootKey ?? '',
            WHATSAPP_VERSION: whatsapp.version ?? '',
          },
        };
      }),
    ),
  );
  const placerPort = await freePort();
  const placers = await startGroup(options, 'placer', [
    {
      name: 'placer',
      entry: project.placer,
      port: placerPort,
      readyPath: '/readyz',
      environment: { ...shared, HEALTH_PORT: String(placerPort), WHATSAPP_URL: whatsapp.url ?? '' },
    },
  ]);
  const ports = edgePorts(port);
  const ffmpegPath = options.ffmpegPath ?? (await provideFfmpeg());
  const edges = await startGroup(
    options,
    'edge',
    ports.map((edgePort, index) => ({
      name: `edge ${index + 1}`,
      entry: project.edge,
      port: edgePort,
      readyPath: '/readyz',
      host,
      environment: {
        ...shared,
        PORT: String(edgePort),
        PEER_HOST: LOOPBACK,
        ADMIN_TOKEN: secrets.adminToken,
        PROXY_ALLOW: proxyAllow,
        FETCH_ALLOW: fetchAllow,
        WHATSAPP_MEDIA_URL: whatsapp.mediaUrl ?? '',
        FFMPEG_PATH: ffmpegPath ?? '',
      },
    })),
  );
  await allReady([workers, placers, edges]);
  const name = host === LOOPBACK || host === '0.0.0.0' ? 'localhost' : host;
  return ports.map((edgePort) => `http://${name}:${edgePort}`);
}
