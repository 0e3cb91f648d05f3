import { mapLimits, TENANT_LIMITS, type TenantLimit, type TenantLimits, type Usage } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { countSocketsOf } from '../edges/socket-counts.js';
import { countResumeRecords } from '../events/resume-records.js';
import type { RedisConnection } from '../redis/connection.js';
import { countedIn, keys } from '../redis/keyspace.js';
import { UnreadableRecords } from '../redis/unreadable-records.js';
import type { TenantLeases } from './tenant-leases.js';
import type { TenantLimitTable } from './tenant-limits.js';
import type { BucketState, TenantRates } from './tenant-rates.js';

interface UsageResources {
  readonly redis: RedisConnection;
  readonly limits: TenantLimitTable;
  readonly rates: TenantRates;
  readonly leases: TenantLeases;
  /** Logs the names of unreadable records, each once in five minutes. Their counts are left out. */
  readonly logger?: Logger;
}

/** The usage of each limit. Undefined if no process knows the usage of all processes. */
type Measured = Partial<Record<TenantLimit, number>>;

/** Reads how much of its limits a tenant uses. */
export class TenantUsage {
  readonly #resources: UsageResources;
  readonly #unreadable: UnreadableRecords;

  constructor(resources: UsageResources) {
    this.#resources = resources;
    this.#unreadable = new UnreadableRecords(resources.logger);
  }

  /** @param keyId the API key whose own rate is shown. */
  async read(tenantId: string, keyId: string): Promise<Usage> {
    const [limits, rates, measured] = await Promise.all([
      this.#resources.limits.read(tenantId),
      this.#rates(tenantId, keyId),
      this.#measure(tenantId),
    ]);
    return { resources: mapLimits((name) => usageOf(name, limits, rates[name], measured[name])) };
  }

  async #rates(tenantId: string, keyId: string): Promise<Partial<Record<TenantLimit, BucketState>>> {
    const [sessionCreations, restUnits, restUnitsPerKey, replayBytes] = await this.#resources.rates.look(
      tenantId,
      [
        { limit: 'sessionCreations' },
        { limit: 'restUnits' },
        { limit: 'restUnitsPerKey', of: keyId },
        { limit: 'replayBytes' },
      ],
    );
    return {
      ...(sessionCreations && { sessionCreations }),
      ...(restUnits && { restUnits }),
      ...(restUnitsPerKey && { restUnitsPerKey }),
      ...(replayBytes && { replayBytes }),
    };
  }

  async #measure(tenantId: string): Promise<Measured> {
    const { redis, leases } = this.#resources;
    const [commands = ''] = countedIn('calls', { tenantId, sessionId: '' });
    const read = <T>(kind: string, counting: Promise<T>) =>
      this.#unreadable.readOr<T | undefined>(counting, undefined, { kind, name: tenantId, tenantId });
    const [
      sessions,
      underWay,
      idempotencyKeys,
      sockets,
      replays,
      mediaDownloads,
      mediaUploads,
      resume,
      log,
      jobs,
      jobBytes,
    ] = await Promise.all([
      read('sessions-of-tenant', redis.scard(keys.sessions(tenantId))),
      read('commands-of-tenant', redis.zcount(commands, Date.now(), '+inf')),
      read('idempotency-ends', redis.zcount(keys.idempotencyEnds(tenantId), Date.now(), '+inf')),
      read('sockets-of-tenant', countSocketsOf(redis, `tenant:${tenantId}`)),
      read('replays-of-tenant', leases.count(tenantId, 'replays')),
      read('downloads-of-tenant', leases.count(tenantId, 'mediaDownloads')),
      read('uploads-of-tenant', leases.count(tenantId, 'mediaUploads')),
      read('resume-totals', countResumeRecords(redis, tenantId)),
      read('log-head', this.#measureLog(tenantId)),
      read('jobs-active', redis.zcount(keys.jobsActive(tenantId), Date.now(), '+inf')),
      read('job-sizes', redis.hget(keys.jobSizes(tenantId), '*').then(Number)),
    ]);
    return definedOf({
      sessions,
      commands: underWay,
      idempotencyKeys,
      sockets,
      replays,
      mediaDownloads,
      mediaUploads,
      jobs,
      jobBytes,
      resumeRecords: resume?.records,
      resumeBytes: resume?.bytes,
      ...log,
    });
  }

  /** Approximate: the bytes of live events since the oldest mark that is kept; see append-events. */
  async #measureLog(tenantId: string): Promise<{ logBytes: number; historyBytes: number }> {
    const { redis } = this.#resources;
    const [[bytes, history], oldest] = await Promise.all([
      redis.hmget(keys.logHead(tenantId), 'bytes', 'history'),
      redis.lindex(keys.logBytes(tenantId), 0),
    ]);
    const [trimmed = '0'] = oldest?.split(' ') ?? [];
    return {
      logBytes: Math.max(0, Number(bytes ?? 0) - Number(trimmed)),
      historyBytes: Number(history ?? 0),
    };
  }
}

/** The counts that could be read. */
function definedOf(counts: Readonly<Record<string, number | undefined>>): Measured {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => Number.isFinite(count)));
}

function usageOf(
  name: TenantLimit,
  limits: TenantLimits,
  rate: BucketState | undefined,
  measured: number | undefined,
): Usage['resources'][TenantLimit] {
  const limit = limits[name];
  const { unit, windowS } = { windowS: undefined, ...TENANT_LIMITS[name] };
  const used = rate === undefined ? measured : Math.max(0, rate.limit - rate.remaining);
  return {
    ...(used === undefined ? {} : { used }),
    limit,
    unit,
    ...(windowS === undefined ? {} : { windowS }),
    ...(rate === undefined ? {} : { resetS: Math.ceil(rate.resetMs / 1000) }),
  };
}
