import { setTimeout as delay } from 'node:timers/promises';
import { PlacementQueue } from '@wafleet/placement';
import type { Lifecycle, Logger, Readiness } from '@wafleet/runtime';
import {
  ApiKeys,
  CommandClient,
  connectRedis,
  EventChannel,
  LinkOffers,
  Ownership,
  type RedisConnection,
  type RedisRole,
  requireRedis,
  SessionDirectory,
  TenantDirectory,
  WorkerRegistry,
} from '@wafleet/store';
import { AdminToken } from './auth/admin-token.js';
import { KeyAuthenticator } from './auth/key-authenticator.js';
import { emitEvent } from './fanout/emit-event.js';
import { TenantFeeds } from './fanout/tenant-feeds.js';
import { listen } from './listen.js';
import { parseOrigins } from './origins.js';
import { readinessOf } from './readiness.js';
import { createHttpServer } from './rest/http-server.js';
import { registerRoutes } from './rest/routes.js';
import { CurrentQr } from './sessions/current-qr.js';
import { OwnerCache } from './sessions/owner-cache.js';
import { SessionCommands } from './sessions/session-commands.js';
import { SessionRemoval } from './sessions/session-removal.js';
import { SessionStarter } from './sessions/session-starter.js';
import { serveEvents } from './sockets/gateway.js';
import { KeyRevocation } from './sockets/key-revocation.js';
import { createSocketServer } from './sockets/socket-server.js';

const RECHECK_KEYS_MS = 60_000;
/** Longer than the longest command that a request may wait for. */
const CLOSE_WITHIN_MS = 20_000;

export interface EdgeOptions {
  /** Names this edge among all: `edge_<random>`. */
  readonly edgeId: string;
  readonly redisUrl: string;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly adminToken: string;
  /** As in the environment variable CORS_ORIGIN. */
  readonly corsOrigin: string;
  /** How long /readyz tells of the stop before connections are closed, ms. */
  readonly stopDelayMs: number;
  readonly logger: Logger;
  /** Where what is started here registers how it is stopped. */
  readonly lifecycle: Lifecycle;
}

/** A running edge. */
export interface Edge {
  readonly port: number;
}

/**
 * Starts an edge: REST, Socket.IO and health checks on one port. It stops in stages: /readyz answers 503, then
 * connections are closed, which makes clients reconnect elsewhere, then commands under way are given up, then Redis.
 * @throws {StartError} when Redis is out of reach or the port cannot be had.
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { edgeId, redisUrl, host, port, logger, lifecycle } = options;
  const origins = parseOrigins(options.corsOrigin);

  const connect = (role: RedisRole, purpose: string): RedisConnection => {
    const connection = connectRedis({ url: redisUrl, role, name: `${edgeId}:${purpose}`, logger });
    lifecycle.onStop(`redis ${purpose}`, () => connection.disconnect());
    return connection;
  };
  const redis = connect('command', 'commands');
  await requireRedis(redis, redisUrl, logger);
  const subscriber = connect('subscriber', 'events');
  const adapterSubscriber = connect('subscriber', 'adapter');
  const queueConnection = connect('command', 'queue');

  const placement = new PlacementQueue({ connection: queueConnection, logger });
  lifecycle.onStop('placement queue', () => placement.close());
  const client = new CommandClient({ redis, subscriber, clientId: edgeId, logger });
  await client.start();
  lifecycle.onStop('commands', () => client.stop());

  const apiKeys = new ApiKeys(redis);
  const sessions = new SessionDirectory(redis);
  const keys = new KeyAuthenticator(apiKeys);
  const workers = new WorkerRegistry(redis);
  const owners = new OwnerCache(new Ownership(redis));
  const commands = new SessionCommands({ sessions, owners, client });

  const app = createHttpServer(logger);
  const io = createSocketServer({
    http: app.server,
    publisher: redis,
    subscriber: adapterSubscriber,
    origins,
    logger,
  });
  const feeds = new TenantFeeds({
    channel: new EventChannel(subscriber),
    deliver: (tenantId, event) => emitEvent(io, tenantId, event),
    logger,
  });
  serveEvents(io, { keys, sessions, feeds, logger });

  const revocation = new KeyRevocation({ io, keys, apiKeys });
  const recheckKeys = () => {
    revocation.recheck().catch((error: unknown) => logger.warn({ err: error }, 'could not check keys again'));
  };
  adapterSubscriber.on('ready', recheckKeys);
  const rechecking = setInterval(recheckKeys, RECHECK_KEYS_MS);
  lifecycle.onStop('checks of keys', () => clearInterval(rechecking));

  let stopping = false;
  const readiness = async (): Promise<Readiness> =>
    stopping ? { ready: false, reason: 'stopping' } : readinessOf(redis);
  await registerRoutes(app, {
    admin: new AdminToken(options.adminToken),
    keys,
    apiKeys,
    revocation,
    tenants: new TenantDirectory(redis),
    sessions,
    starter: new SessionStarter({ sessions, placement, logger }),
    removal: new SessionRemoval({ sessions, workers, commands }),
    commands,
    currentQr: new CurrentQr({ sessions, offers: new LinkOffers(redis), workers }),
    origins,
    readiness,
  });

  lifecycle.onStop(
    'connections',
    async () => {
      feeds.close();
      await io.close();
      await app.close();
    },
    { timeoutMs: CLOSE_WITHIN_MS },
  );
  await app.ready();
  const listeningPort = await listen(app.server, { host, port });
  lifecycle.onStop(
    'readiness',
    async () => {
      stopping = true;
      await delay(options.stopDelayMs);
    },
    { timeoutMs: options.stopDelayMs + 1_000 },
  );

  logger.info({ host, port: listeningPort }, 'serving');
  return { port: listeningPort };
}
