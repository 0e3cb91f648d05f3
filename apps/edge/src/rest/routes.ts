import accepts from '@fastify/accepts';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import {
  auditCalls,
  clientVersionCalls,
  eventCalls,
  jobCalls,
  keyCalls,
  linkingCalls,
  mediaCalls,
  movingCalls,
  passkeyCalls,
  passkeyLinkCalls,
  REPLAYED_HEADER,
  REQUEST_ID_HEADER,
  sessionCalls,
  tenantCalls,
  uploadCalls,
  usageCalls,
} from '@wafleet/contract';
import type { Metrics, Readiness } from '@wafleet/runtime';
import type {
  ApiKeys,
  AuditLog,
  ClientVersions,
  MessageJobs,
  PasskeyLinks,
  SessionDirectory,
  SessionPages,
  SessionSettingsRecords,
  TenantDirectory,
  TenantLeases,
  TenantLimitTable,
  TenantRemovals,
  TenantUsage,
  UploadRecords,
  WorkerRegistry,
} from '@wafleet/store';
import type { FastifyInstance } from 'fastify';
import type { AuditedCalls } from '../audit/audited-calls.js';
import type { AdminAccess } from '../auth/admin-access.js';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { KeyConnections } from '../auth/key-connections.js';
import { requirePasskeyLink } from '../auth/passkey-link-auth.js';
import { type ChargeCall, requireAdmin } from '../auth/request-auth.js';
import { checkKeysOf, limitWrongKeys } from '../auth/request-keys.js';
import { type AllowedOrigins, originsOf } from '../http/origins.js';
import type { IdempotentCalls } from '../idempotency/idempotent-calls.js';
import type { JobRunner } from '../jobs/job-runner.js';
import type { CallLine } from '../limits/call-line.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import type { MediaDownloads } from '../media/media-downloads.js';
import { type FileUploads, PREPARATION_MS } from '../sending/file-uploads.js';
import type { MessageFiles } from '../sending/message-files.js';
import type { MessageSending } from '../sending/message-sending.js';
import type { FileReceiver } from '../sending/received-file.js';
import type { QrCodeQuery } from '../sessions/qr-code-query.js';
import type { SessionChanges } from '../sessions/session-changes.js';
import type { SessionCommands } from '../sessions/session-commands.js';
import type { SessionExport } from '../sessions/session-export.js';
import type { SessionRemoval } from '../sessions/session-removal.js';
import type { SessionStarter } from '../sessions/session-starter.js';
import type { KeyRevocation } from '../sockets/key-revocation.js';
import type { SseClients } from '../sse/sse-clients.js';
import type { TenantRemoval } from '../tenants/tenant-removal.js';
import { serveApiDocs } from './api-docs.js';
import { auditHandlers } from './audit-calls.js';
import { countCalls, lineUpCalls } from './call-places.js';
import { addCalls } from './calls.js';
import { clientVersionHandlers } from './client-version-calls.js';
import { addCommandCalls } from './command-calls.js';
import { serveErrorPage } from './error-page.js';
import { eventHandlers, refuseKeyInUrl } from './event-calls.js';
import { readFileBodies } from './file-bodies.js';
import { countHandshakes } from './handshakes.js';
import { health } from './health.js';
import { BODY_LIMIT } from './http-server.js';
import { jobHandlers } from './job-calls.js';
import { keyHandlers } from './key-calls.js';
import { boundLargeBodies } from './large-bodies.js';
import { linkingHandlers } from './linking-calls.js';
import { mediaHandlers } from './media-calls.js';
import { movingHandlers } from './moving-calls.js';
import { passkeyHandlers, passkeyLinkHandlers } from './passkey-calls.js';
import { RequestFiles } from './request-files.js';
import { requireScopes } from './scoped-routes.js';
import { sessionHandlers } from './session-calls.js';
import { tenantHandlers } from './tenant-calls.js';
import { uploadHandlers } from './upload-calls.js';

export interface RestResources {
  readonly admin: AdminAccess;
  /** The token of `GET /metrics`; undefined for none. */
  readonly metricsToken: string | undefined;
  readonly keys: KeyAuthenticator;
  readonly connections: KeyConnections;
  readonly apiKeys: ApiKeys;
  readonly revocation: KeyRevocation;
  readonly tenants: TenantDirectory;
  readonly clientVersions: ClientVersions;
  readonly workers: WorkerRegistry;
  readonly limits: TenantLimitTable;
  readonly usage: TenantUsage;
  readonly leases: TenantLeases;
  readonly sessions: SessionDirectory;
  readonly pages: SessionPages;
  readonly settings: SessionSettingsRecords;
  /** Where REST calls wait for their turn. */
  readonly line: CallLine;
  /** Charges REST calls. */
  readonly charge: ChargeCall;
  readonly starter: SessionStarter;
  readonly changes: SessionChanges;
  readonly removal: SessionRemoval;
  readonly exporter: SessionExport;
  readonly commands: SessionCommands;
  readonly sending: MessageSending;
  readonly jobs: MessageJobs;
  readonly jobRunner: Pick<JobRunner, 'nudge'>;
  /** Carries calls with an `Idempotency-Key` out once. */
  readonly idempotency: IdempotentCalls;
  /** Enters acts into the audit log. */
  readonly audited: AuditedCalls;
  readonly audit: AuditLog;
  readonly tenantRemovals: TenantRemovals;
  readonly tenantRemoval: TenantRemoval;
  readonly currentQr: QrCodeQuery;
  readonly passkeyLinks: PasskeyLinks;
  /** As in the environment variable PUBLIC_URL. */
  readonly publicUrl: string | undefined;
  readonly media: MediaDownloads;
  readonly receiver: FileReceiver;
  readonly uploads: FileUploads;
  readonly uploadRecords: UploadRecords;
  readonly messageFiles: MessageFiles;
  readonly sse: SseClients;
  readonly connectionLimits: ConnectionLimits;
  readonly origins: AllowedOrigins;
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: Metrics;
}

/** What browsers may do with a path from pages of other origins. */
function corsOf(url: string, origins: AllowedOrigins) {
  return {
    origin: originsOf(url, origins),
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [
      ...['authorization', 'content-type', 'idempotency-key', 'last-event-id', 'x-api-key'],
      REQUEST_ID_HEADER,
    ],
    exposedHeaders: [
      ...['content-disposition', 'etag', REPLAYED_HEADER, 'link'],
      ...['ratelimit', 'ratelimit-policy', 'retry-after', REQUEST_ID_HEADER],
    ],
    maxAge: 600,
  };
}

/** Adds everything that the edge serves over plain HTTP. */
export async function registerRoutes(app: FastifyInstance, resources: RestResources): Promise<void> {
  // The documentation page brings a content security policy of its own; all other answers are data. The proxy that
  // holds the certificate decides whether browsers may use plain HTTP.
  await app.register(helmet, {
    contentSecurityPolicy: false,
    strictTransportSecurity: false,
    crossOriginResourcePolicy: { policy: 'cross-origin' },
  });
  await app.register(cors, {
    delegator: (request, done) => done(null, corsOf(request.url ?? '', resources.origins)),
  });
  await serveApiDocs(app);
  serveErrorPage(app);
  const limited = { ...resources, checkKey: limitWrongKeys(resources) };
  await app.register(health, resources);
  await app.register(async (forAdmin) => {
    forAdmin.addHook('onRequest', requireAdmin(limited));
    addCalls(forAdmin, resources, tenantCalls, tenantHandlers(resources));
    addCalls(forAdmin, resources, keyCalls, keyHandlers(resources));
    addCalls(forAdmin, resources, auditCalls, auditHandlers(resources));
    addCalls(forAdmin, resources, clientVersionCalls, clientVersionHandlers(resources));
  });
  await app.register(async (forTenants) => {
    requireScopes(forTenants, { ...limited, enterCall: countCalls(resources) });
    await forTenants.register(accepts);
    addCalls(forTenants, resources, { ...sessionCalls, ...usageCalls }, sessionHandlers(resources));
    boundLargeBodies(forTenants, BODY_LIMIT);
    addCalls(forTenants, resources, movingCalls, movingHandlers(resources));
    addCalls(forTenants, resources, linkingCalls, linkingHandlers(resources));
    addCalls(forTenants, resources, passkeyCalls, passkeyHandlers(resources));
    addCalls(forTenants, resources, mediaCalls, mediaHandlers(resources));
    addCalls(forTenants, resources, jobCalls, jobHandlers(resources));
    const requestFiles = new RequestFiles(resources);
    readFileBodies(forTenants);
    addCalls(forTenants, resources, uploadCalls, uploadHandlers({ ...resources, requestFiles }), {
      deadlineMs: PREPARATION_MS,
      receive: (request, reply) => requestFiles.receive(request, reply),
    });
    addCommandCalls(forTenants, resources, { ...resources, requestFiles });
  });
  await app.register(async (forHelpers) => {
    forHelpers.addHook('onRequest', requirePasskeyLink({ ...resources, enterCall: countCalls(resources) }));
    addCalls(forHelpers, resources, passkeyLinkCalls, passkeyLinkHandlers(resources));
  });
  await app.register(async (forStreams) => {
    forStreams.addHook('onRequest', refuseKeyInUrl);
    countHandshakes(forStreams, resources);
    // Streams stay open, so they are bounded as connections.
    requireScopes(forStreams, {
      ...resources,
      checkKey: checkKeysOf(resources),
      enterCall: lineUpCalls(resources),
    });
    addCalls(forStreams, resources, eventCalls, eventHandlers(resources));
  });
}
