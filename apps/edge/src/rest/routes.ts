import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import type { Readiness } from '@wafleet/runtime';
import type { ApiKeys, SessionDirectory, TenantDirectory } from '@wafleet/store';
import type { FastifyInstance } from 'fastify';
import type { AdminToken } from '../auth/admin-token.js';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import { requireAdmin, requireApiKey } from '../auth/request-auth.js';
import type { AllowedOrigins } from '../origins.js';
import type { CurrentQr } from '../sessions/current-qr.js';
import type { SessionCommands } from '../sessions/session-commands.js';
import type { SessionRemoval } from '../sessions/session-removal.js';
import type { SessionStarter } from '../sessions/session-starter.js';
import type { KeyRevocation } from '../sockets/key-revocation.js';
import { serveApiDocs } from './api-docs.js';
import { health } from './health.js';
import { keyRoutes } from './keys.js';
import { linkingRoutes } from './linking.js';
import { messageRoutes } from './messages.js';
import { sessionRoutes } from './sessions.js';
import { tenantRoutes } from './tenants.js';

export interface RestResources {
  readonly admin: AdminToken;
  readonly keys: KeyAuthenticator;
  readonly apiKeys: ApiKeys;
  readonly revocation: KeyRevocation;
  readonly tenants: TenantDirectory;
  readonly sessions: SessionDirectory;
  readonly starter: SessionStarter;
  readonly removal: SessionRemoval;
  readonly commands: SessionCommands;
  readonly currentQr: CurrentQr;
  readonly origins: AllowedOrigins;
  readonly readiness: () => Promise<Readiness>;
}

/** Adds everything that the edge serves over plain HTTP. */
export async function registerRoutes(app: FastifyInstance, resources: RestResources): Promise<void> {
  // The documentation page brings a content security policy of its own; all other answers are data. Whether browsers
  // may use plain HTTP is for the proxy to say that holds the certificate.
  await app.register(helmet, {
    contentSecurityPolicy: false,
    strictTransportSecurity: false,
    crossOriginResourcePolicy: { policy: 'cross-origin' },
  });
  await app.register(cors, {
    origin: resources.origins,
    methods: ['GET', 'POST', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'x-api-key'],
    maxAge: 600,
  });
  await serveApiDocs(app);
  await app.register(health, resources);
  await app.register(async (forAdmin) => {
    forAdmin.addHook('onRequest', requireAdmin(resources));
    await forAdmin.register(tenantRoutes, resources);
    await forAdmin.register(keyRoutes, resources);
  });
  await app.register(async (forTenants) => {
    forTenants.addHook('onRequest', requireApiKey(resources));
    await forTenants.register(sessionRoutes, resources);
    await forTenants.register(linkingRoutes, resources);
    await forTenants.register(messageRoutes, resources);
  });
}
