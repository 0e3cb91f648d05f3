import { WafleetClient } from '@wafleet/client';
import { DEFAULT_TENANT_LIMITS, type TenantLimits } from '@wafleet/contract';
import { AddressRules } from '@wafleet/egress';
import { type ConnectionTimeouts, createLogger, Lifecycle, type Logger, Metrics } from '@wafleet/runtime';
import { EVENT_LOG_BOUNDS } from '@wafleet/store';
import { ffmpegPath } from '@wafleet/testkit';
import type { OpenProbe } from '../engine/assert-engine-internals.js';
import type { WriterLimits } from '../fanout/bounded-writer.js';
import type { BufferLimits } from '../fanout/buffer-budget.js';
import type { ClientLimits } from '../limits/client-limits.js';
import type { MediaOptions } from '../media/media-downloads.js';
import { startEdge } from '../server.js';
import type { ReplayLimits } from '../streams/replay-gate.js';
import type { TenantRemovalTimes } from '../tenants/tenant-removal.js';
import type { UploadOptions } from '../wiring/edge-options.js';

export const ADMIN_TOKEN = 'admin-token-of-a-test';
/** More than a test reaches by chance. */
export const CLIENT_LIMITS: ClientLimits = {
  socketsPerKey: 10_000,
  handshakesPerAddress: 10_000,
  handshakesPerKey: 10_000,
  framesPerSecond: 500,
  callsPerTenant: 10_000,
  callsPerKey: 10_000,
  connections: 0,
  connectionsPerAddress: 10_000,
  trustedProxies: [],
  proxyHops: 1,
};
export const WRITER_LIMITS: WriterLimits = { maxUnsentBytes: 4 * 1024 * 1024, maxUnsentPackets: 10_000 };

export const BUFFER_LIMITS: BufferLimits = {
  maxBytes: 256 * 1024 * 1024,
};
/** More than a test reaches by chance. */
export const REPLAY_LIMITS: ReplayLimits = {
  maxReplays: 10_000,
  bytesPerSecond: 1024 ** 3,
};

/** No media host. */
export const MEDIA: MediaOptions = {
  url: 'http://127.0.0.1:9',
  maxBytes: 64 * 1024 * 1024,
  downloads: 100,
};

/** Files may be fetched from this machine. */
export const UPLOADS: UploadOptions = {
  maxBytes: 64 * 1024 * 1024,
  atOnce: 100,
  spoolBytes: 1024 ** 3,
  ffmpegPath,
  toolsAtOnce: 2,
  fetchRules: AddressRules.parse('127.0.0.1/32'),
};

/** An edge that runs in the test's own process. */
export interface TestEdge {
  readonly url: string;
  readonly metrics: Metrics;
  /** The administrator's calls. */
  readonly admin: WafleetClient;
  /** The calls of an API key. */
  client(key: string): WafleetClient;
  stop(): Promise<void>;
}

export interface TestEdgeOptions {
  readonly redisUrl: string;
  readonly corsOrigin?: string;
  readonly publicUrl?: string;
  readonly logger?: Logger;
  readonly writerLimits?: WriterLimits;
  readonly bufferLimits?: BufferLimits;
  /** Overrides of REPLAY_LIMITS. */
  readonly replayLimits?: Partial<ReplayLimits>;
  /** Overrides of CLIENT_LIMITS. */
  readonly clientLimits?: Partial<ClientLimits>;
  /** Overrides of the defaults: a media host that does not exist, and limits that a test does not reach by chance. */
  readonly media?: Partial<MediaOptions>;
  /** Overrides of UPLOADS. */
  readonly uploads?: Partial<UploadOptions>;
  /** Overrides of the default limits. */
  readonly tenantLimits?: Partial<TenantLimits>;
  /** Overrides of production's timeouts. */
  readonly connectionTimeouts?: Partial<ConnectionTimeouts>;
  /** Overrides of TENANT_REMOVAL_TIMES. */
  readonly tenantRemovalTimes?: Partial<TenantRemovalTimes>;
  readonly metricsToken?: string;
  /** Default: as in production. */
  readonly eventLogMaxAgeMs?: number;
  /** Default: 20. */
  readonly jobsAtOnce?: number;
  /** Default: 127.0.0.1; null for none. */
  readonly peerHost?: string | null;
  /** Default: opens the libraries as they are. */
  readonly openProbe?: OpenProbe;
}

let started = 0;

export async function startTestEdge(options: TestEdgeOptions): Promise<TestEdge> {
  const {
    redisUrl,
    corsOrigin = '*',
    publicUrl,
    logger = createLogger({ app: 'edge', level: 'silent' }),
    writerLimits = WRITER_LIMITS,
    bufferLimits = BUFFER_LIMITS,
    replayLimits,
    clientLimits,
    media,
    uploads,
    tenantLimits,
    connectionTimeouts,
    tenantRemovalTimes,
    metricsToken,
    eventLogMaxAgeMs = EVENT_LOG_BOUNDS.maxAgeMs,
    jobsAtOnce = 20,
    peerHost = '127.0.0.1',
    openProbe,
  } = options;
  const lifecycle = new Lifecycle(logger);
  const metrics = new Metrics();
  started += 1;
  const { port } = await startEdge(
    {
      edgeId: `edge_test_${started}`,
      redisUrl,
      host: '127.0.0.1',
      port: 0,
      adminToken: ADMIN_TOKEN,
      metricsToken,
      connectionTimeouts,
      tenantRemovalTimes,
      corsOrigin,
      publicUrl,
      stopDelayMs: 0,
      writerLimits,
      bufferLimits,
      replayLimits: { ...REPLAY_LIMITS, ...replayLimits },
      clientLimits: { ...CLIENT_LIMITS, ...clientLimits },
      media: { ...MEDIA, ...media },
      uploads: { ...UPLOADS, ...uploads },
      eventLogMaxAgeMs,
      jobsAtOnce,
      tenantLimits: { ...DEFAULT_TENANT_LIMITS, ...tenantLimits },
      peerHost: peerHost ?? undefined,
      metrics,
      logger,
      lifecycle,
    },
    openProbe,
  );
  const url = `http://127.0.0.1:${port}`;
  const client = (key: string) => new WafleetClient({ url, key });
  return {
    metrics,
    url,
    admin: client(ADMIN_TOKEN),
    client,
    stop: async () => {
      if (!(await lifecycle.stop())) throw new Error('the edge did not stop well');
    },
  };
}
