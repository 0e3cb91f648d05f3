import type { Readiness } from '@wafleet/runtime';
import {
  AuditLog,
  ClientVersions,
  deleteLists,
  IdempotencyRecords,
  Ownership,
  SessionExports,
  SessionImports,
  TenantDirectory,
  TenantRemovals,
  TenantUsage,
} from '@wafleet/store';
import type { FastifyInstance } from 'fastify';
import { AuditedCalls } from '../audit/audited-calls.js';
import { AdminAccess } from '../auth/admin-access.js';
import type { AllowedOrigins } from '../http/origins.js';
import { IdempotentCalls } from '../idempotency/idempotent-calls.js';
import { JobRunner } from '../jobs/job-runner.js';
import { chargeCalls } from '../rest/call-rates.js';
import { registerRoutes } from '../rest/routes.js';
import { MessageSending } from '../sending/message-sending.js';
import { OwnerCache } from '../sessions/owner-cache.js';
import { QrCodeQuery } from '../sessions/qr-code-query.js';
import { SessionChanges } from '../sessions/session-changes.js';
import { SessionCommands } from '../sessions/session-commands.js';
import { SessionExport } from '../sessions/session-export.js';
import { SessionRemoval } from '../sessions/session-removal.js';
import { SessionStarter } from '../sessions/session-starter.js';
import { WorkerRequests } from '../sessions/worker-requests.js';
import { TENANT_REMOVAL_TIMES, TenantRemoval } from '../tenants/tenant-removal.js';
import type { EdgeOptions } from './edge-options.js';
import type { EdgeCounters } from './metrics.js';
import { type EdgeFiles, wireFiles } from './wire-files.js';
import type { EdgeLimits } from './wire-limits.js';
import type { Realtime } from './wire-realtime.js';
import type { EdgeStore } from './wire-store.js';

interface HttpParts {
  readonly store: EdgeStore;
  readonly limits: EdgeLimits;
  readonly realtime: Realtime;
  readonly origins: AllowedOrigins;
  readonly readiness: () => Promise<Readiness>;
  readonly tally: EdgeCounters;
}

/** Serves REST, streams of Server-Sent Events, health checks and metrics. Returns what serves files and runs jobs. */
export async function wireHttp(
  app: FastifyInstance,
  options: EdgeOptions,
  { store, limits, realtime, origins, readiness, tally }: HttpParts,
): Promise<EdgeFiles & { readonly jobRunner: JobRunner }> {
  const { logger } = options;
  const {
    redis,
    guesses,
    apiKeys,
    sessions,
    pages,
    settings,
    workers,
    client,
    placement,
    rates,
    leases,
    jobs,
    offers,
    passkeyLinks,
  } = store;
  const onExceeded = tally.countLimited.bind(tally);
  const commands = new SessionCommands({
    ...{ sessions, client, workers, onExceeded },
    owners: new OwnerCache(new Ownership(redis)),
  });
  const files = wireFiles(options, { store, commands, tally });
  const sending = new MessageSending({ commands, previews: files.previews, files: files.messageFiles });
  const jobRunner = new JobRunner({
    ...{ sending, rates, logger, runs: store.jobRuns, wakeUps: store.wakeUps },
    atOnce: options.jobsAtOnce,
    onOutcome: (outcome) => tally.countJobMessage(outcome),
  });
  const requests = new WorkerRequests({ client, placement, logger });
  const removal = new SessionRemoval({ sessions, workers, commands, requests });
  const audit = new AuditLog(redis);
  const tenantRemovals = new TenantRemovals(redis);
  const tenantRemoval = new TenantRemoval(
    {
      ...{ pages, apiKeys, logger, removals: tenantRemovals, sessions: removal },
      edgeId: options.edgeId,
      revocation: realtime.revocation,
    },
    { ...TENANT_REMOVAL_TIMES, ...options.tenantRemovalTimes },
  );
  options.lifecycle.onStop('removals of tenants', () => tenantRemoval.close());
  await registerRoutes(app, {
    admin: new AdminAccess(options.adminToken, {
      onExceeded: () => tally.countLimited('wrong_admin_tokens'),
      ...{ guesses, logger },
    }),
    metricsToken: options.metricsToken,
    ...{ apiKeys, leases, sessions, pages, settings, commands, origins, readiness, passkeyLinks },
    ...files,
    ...{ sending, jobs, jobRunner },
    publicUrl: options.publicUrl,
    idempotency: new IdempotentCalls(new IdempotencyRecords(redis, store.limits)),
    limits: store.limits,
    keys: realtime.keys,
    connections: realtime.connections,
    revocation: realtime.revocation,
    sse: realtime.sse,
    line: limits.line,
    connectionLimits: limits.connectionLimits,
    clientVersions: new ClientVersions(redis),
    workers,
    tenants: new TenantDirectory(redis),
    usage: new TenantUsage({ redis, limits: store.limits, rates, leases, logger }),
    charge: chargeCalls({ rates, onExceeded, logger }),
    starter: new SessionStarter({
      ...{ sessions, settings, workers, requests, rates, onExceeded },
      imports: new SessionImports({ redis, directory: sessions }),
      maxSessions: store.limits.defaults.sessions,
    }),
    changes: new SessionChanges({
      ...{ settings, commands, workers, logger },
      deleteLists: (ref) => deleteLists(redis, ref),
    }),
    removal,
    ...{ audit, tenantRemovals, tenantRemoval },
    audited: new AuditedCalls({ log: audit, connectionLimits: limits.connectionLimits }),
    exporter: new SessionExport({
      ...{ sessions, workers, requests, logger },
      exports: new SessionExports(redis),
    }),
    currentQr: new QrCodeQuery({ sessions, offers, workers }),
    metrics: options.metrics,
  });
  return { ...files, jobRunner };
}
