import { z } from 'zod';
import type { ErrorCode } from './errors.js';
import { WafleetError } from './errors.js';

/**
 * `count`: how many there may be at a time. `bytes`: how many bytes there may be at a time. `rate`: the size of a bucket
 * that fills up in one window. All of it may come at once, so one window may see up to twice as much.
 */
export type LimitKind = 'count' | 'bytes' | 'rate';

interface LimitDescription {
  readonly kind: LimitKind;
  /** What is counted. */
  readonly unit: string;
  /** Length of the window of a rate, s. */
  readonly windowS?: number;
  readonly default: number;
  readonly min: number;
  /** What a client that exceeds it gets. Undefined if no client is refused because of it. */
  readonly error?: ErrorCode;
  /** What it bounds, for docs/limits.md and the usage. */
  readonly meaning: string;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** The largest value that the administrator may set. */
const LARGEST = 2 ** 40;

/**
 * Every limit that a tenant has, for all processes of the cluster together where the meaning does not say otherwise.
 * docs/limits.md mirrors it; a test keeps them the same.
 */
export const TENANT_LIMITS = {
  sessions: {
    kind: 'count',
    unit: 'sessions',
    default: 250,
    min: 0,
    error: 'TOO_MANY_SESSIONS',
    meaning: 'Sessions that exist, open or not.',
  },
  sessionCreations: {
    kind: 'rate',
    unit: 'sessions',
    windowS: 60,
    default: 300,
    min: 1,
    error: 'RATE_LIMITED',
    meaning: 'Sessions that are made.',
  },
  restUnits: {
    kind: 'rate',
    unit: 'units',
    windowS: 10,
    default: 10_000,
    min: 100,
    error: 'RATE_LIMITED',
    meaning: 'REST calls of all API keys of the tenant, each by its cost.',
  },
  restUnitsPerKey: {
    kind: 'rate',
    unit: 'units',
    windowS: 10,
    default: 5_000,
    min: 100,
    error: 'RATE_LIMITED',
    meaning: 'REST calls of each API key, each by its cost.',
  },
  commands: {
    kind: 'count',
    unit: 'commands',
    default: 200,
    min: 1,
    error: 'TOO_MANY_COMMANDS',
    meaning: 'Sends and other calls to sessions that wait for a worker or are being carried out.',
  },
  commandsPerSession: {
    kind: 'count',
    unit: 'commands',
    default: 50,
    min: 1,
    error: 'TOO_MANY_COMMANDS',
    meaning: 'The same, of each session.',
  },
  idempotencyKeys: {
    kind: 'count',
    unit: 'keys',
    default: 100_000,
    min: 1,
    error: 'TOO_MANY_IDEMPOTENCY_KEYS',
    meaning: 'Values of `Idempotency-Key` in the last 24 hours.',
  },
  sockets: {
    kind: 'count',
    unit: 'connections',
    default: 5_000,
    min: 0,
    error: 'TOO_MANY_CONNECTIONS',
    meaning: 'Connections for events, of all API keys of the tenant.',
  },
  replays: {
    kind: 'count',
    unit: 'replays',
    default: 2_000,
    min: 1,
    error: 'TOO_MANY_REPLAYS',
    meaning: 'Clients that are being given what they missed, those included that wait for a turn.',
  },
  replayBytes: {
    kind: 'rate',
    unit: 'bytes',
    windowS: 60,
    default: 1024 * MIB,
    min: MIB,
    meaning: 'Bytes of past events that are looked through for clients.',
  },
  bufferedBytes: {
    kind: 'bytes',
    unit: 'bytes',
    default: 64 * MIB,
    min: MIB,
    meaning: 'Bytes of events that wait for the tenant’s clients, on each edge.',
  },
  resumeRecords: {
    kind: 'count',
    unit: 'records',
    default: 20_000,
    min: 1,
    meaning: 'Clients that are away and remembered.',
  },
  resumeBytes: {
    kind: 'bytes',
    unit: 'bytes',
    default: 32 * MIB,
    min: 64 * KIB,
    meaning: 'Bytes of what is remembered of them.',
  },
  logBytes: {
    kind: 'bytes',
    unit: 'bytes',
    default: 128 * MIB,
    min: 4 * MIB,
    meaning: 'Bytes of past events that are kept. The oldest ones go first.',
  },
  historyBytes: {
    kind: 'bytes',
    unit: 'bytes',
    default: 32 * MIB,
    min: MIB,
    meaning: 'Bytes of history that is kept among the past events. The oldest goes first.',
  },
  mediaDownloads: {
    kind: 'count',
    unit: 'downloads',
    default: 20,
    min: 0,
    error: 'TOO_MANY_DOWNLOADS',
    meaning: 'Files of messages that are being downloaded.',
  },
  mediaUploads: {
    kind: 'count',
    unit: 'uploads',
    default: 10,
    min: 0,
    error: 'TOO_MANY_UPLOADS',
    meaning: 'Files that are being received, converted and uploaded.',
  },
  jobs: {
    kind: 'count',
    unit: 'jobs',
    default: 100,
    min: 0,
    error: 'TOO_MANY_JOBS',
    meaning: 'Jobs that send messages and have not ended.',
  },
  jobBytes: {
    kind: 'bytes',
    unit: 'bytes',
    default: 32 * MIB,
    min: MIB,
    error: 'TOO_MANY_JOBS',
    meaning:
      'Bytes of the messages of these jobs, and of the results of ended ones. The oldest results go first.',
  },
} as const satisfies Record<string, LimitDescription>;

export type TenantLimit = keyof typeof TENANT_LIMITS;

/** What a tenant may have and do. */
export type TenantLimits = Readonly<Record<TenantLimit, number>>;

export const TENANT_LIMIT_NAMES = Object.keys(TENANT_LIMITS) as readonly TenantLimit[];

export const DEFAULT_TENANT_LIMITS: TenantLimits = mapLimits((name) => TENANT_LIMITS[name].default);

/** A record with a value for each limit. */
export function mapLimits<T>(valueFor: (name: TenantLimit) => T): Record<TenantLimit, T> {
  return Object.fromEntries(TENANT_LIMIT_NAMES.map((name) => [name, valueFor(name)])) as Record<
    TenantLimit,
    T
  >;
}

/** A value that a limit may have. */
export function limitValueSchema(name: TenantLimit) {
  const { min, meaning } = TENANT_LIMITS[name];
  return z.number().int().min(min).max(LARGEST).describe(meaning);
}

/** After how long a client that exceeded the number of concurrent uses may try again, ms. */
const RETRY_COUNT_MS = 1_000;

/**
 * The error of a client that exceeds a limit. `details` are {resource, limit, retryAfterMs} and, where it is known,
 * `used`.
 */
export function limitError(
  resource: TenantLimit,
  code: ErrorCode,
  {
    limit,
    used,
    retryAfterMs = RETRY_COUNT_MS,
  }: { limit: number; used?: number | undefined; retryAfterMs?: number | undefined },
): WafleetError {
  const described: LimitDescription = TENANT_LIMITS[resource];
  const inWindow = described.windowS === undefined ? '' : ` in ${described.windowS} s`;
  return new WafleetError(code, `The limit ${resource} is reached: ${limit} ${described.unit}${inWindow}.`, {
    resource,
    limit,
    ...(used === undefined ? {} : { used }),
    retryAfterMs,
  });
}

const limitNameSchema = z.enum(TENANT_LIMIT_NAMES as [TenantLimit, ...TenantLimit[]]);

/** New limits of a tenant: null goes back to the default, and an absent limit stays unchanged. */
export const tenantLimitChangesSchema = z
  .strictObject(mapLimits((name) => limitValueSchema(name).nullable().optional()))
  .refine((changes) => Object.keys(changes).length > 0, 'must name a limit');

export const tenantLimitsSchema = z.object({
  limits: z.record(limitNameSchema, z.number().int()).describe('What the tenant may have and do'),
  own: z
    .partialRecord(limitNameSchema, z.number().int())
    .describe('Those that were set for the tenant; the others are defaults'),
});

export const resourceUsageSchema = z.object({
  used: z
    .number()
    .int()
    .optional()
    .describe('How much is used now, on all edges and workers; absent where only single ones know'),
  limit: z.number().int(),
  unit: z.string(),
  windowS: z.number().int().optional().describe('For a rate: the window that the limit is for, s'),
  resetS: z.number().int().optional().describe('For a rate: after how many s all of it is there again'),
});
export const usageSchema = z.object({ resources: z.record(limitNameSchema, resourceUsageSchema) });

export type TenantLimitsView = z.infer<typeof tenantLimitsSchema>;
export type Usage = z.infer<typeof usageSchema>;
export type ResourceUsage = z.infer<typeof resourceUsageSchema>;
