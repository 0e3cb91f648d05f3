import type { TenantLimits } from '@wafleet/contract';
import type { AddressRules } from '@wafleet/egress';
import type { ConnectionTimeouts, Lifecycle, Logger, Metrics } from '@wafleet/runtime';
import type { WriterLimits } from '../fanout/bounded-writer.js';
import type { BufferLimits } from '../fanout/buffer-budget.js';
import type { ClientLimits } from '../limits/client-limits.js';
import type { MediaOptions } from '../media/media-downloads.js';
import type { ReplayLimits } from '../streams/replay-gate.js';
import type { TenantRemovalTimes } from '../tenants/tenant-removal.js';

/** How an edge receives, converts and uploads files. */
export interface UploadOptions {
  /** Larger files are not taken. */
  readonly maxBytes: number;
  /** How many files are under way at a time. */
  readonly atOnce: number;
  /** Where files are while they are under way. Default: the system's directory for temporary files. */
  readonly spoolDirectory?: string | undefined;
  /** How many bytes they may have there together. */
  readonly spoolBytes: number;
  /** Default: `ffmpeg` on PATH. */
  readonly ffmpegPath?: string | undefined;
  /** How many programs convert files at a time. */
  readonly toolsAtOnce: number;
  /** Which addresses files may be fetched from. Default: public ones. */
  readonly fetchRules?: AddressRules | undefined;
}

/** What an edge is started with. */
export interface EdgeOptions {
  /** The unique name of this edge: `edge_<random>`. */
  readonly edgeId: string;
  readonly redisUrl: string;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly adminToken: string;
  /** As in the environment variable METRICS_TOKEN. */
  readonly metricsToken?: string | undefined;
  /** Overrides of CONNECTION_TIMEOUTS. */
  readonly connectionTimeouts?: Partial<ConnectionTimeouts> | undefined;
  /** As in the environment variable CORS_ORIGIN. */
  readonly corsOrigin: string;
  /** As in the environment variable PUBLIC_URL. */
  readonly publicUrl?: string | undefined;
  /** How long /readyz reports the stop before connections are closed, in ms. */
  readonly stopDelayMs: number;
  /** How much may wait for one socket before it is closed. */
  readonly writerLimits: WriterLimits;
  /** How much may wait for all clients of the edge together. */
  readonly bufferLimits: BufferLimits;
  /** How much is read for clients that missed events. */
  readonly replayLimits: ReplayLimits;
  readonly clientLimits: ClientLimits;
  /** Where message files come from, and the limits of their downloads. */
  readonly media: MediaOptions;
  /** How many jobs this edge runs at a time; 0 for none. */
  readonly jobsAtOnce: number;
  /** How files are received, converted and uploaded. */
  readonly uploads: UploadOptions;
  /** How long the log keeps the events that an absent client misses, in ms. The same value as for the workers. */
  readonly eventLogMaxAgeMs: number;
  /** As in the environment variable PEER_HOST. */
  readonly peerHost?: string | undefined;
  /** Default: any free port. */
  readonly peerPort?: number;
  /** The limits of a tenant without limits of its own. */
  readonly tenantLimits: TenantLimits;
  /** Overrides of TENANT_REMOVAL_TIMES. */
  readonly tenantRemovalTimes?: Partial<TenantRemovalTimes> | undefined;
  /** Receives the metrics of this edge. */
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Receives the stop handlers of everything that is started here. */
  readonly lifecycle: Lifecycle;
}
