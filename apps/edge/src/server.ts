import { setTimeout as delay } from 'node:timers/promises';
import type { TenantLimits } from '@wafleet/contract';
import { PlacementQueue } from '@wafleet/placement';
import {
  CONNECTION_TIMEOUTS,
  type ConnectionTimeouts,
  guardConnections,
  type Lifecycle,
  type Logger,
  type Metrics,
  type Readiness,
} from '@wafleet/runtime';
import {
  ApiKeys,
  CommandClient,
  connectRedis,
  EdgeRegistry,
  EventChannel,
  EventLog,
  LinkOffers,
  Ownership,
  type RedisConnection,
  type RedisRole,
  ResumeRecords,
  requireRedis,
  SessionDirectory,
  SessionPages,
  SharedWriteProbe,
  SocketCounts,
  TenantDirectory,
  TenantLeases,
  TenantLimitTable,
  TenantRates,
  TenantUsage,
  WorkerRegistry,
  WrongGuesses,
} from '@wafleet/store';
import { AdminAccess } from './auth/admin-access.js';
import { KeyAuthenticator } from './auth/key-authenticator.js';
import { KeyConnections } from './auth/key-connections.js';
import type { WriterLimits } from './fanout/bounded-writer.js';
import { BufferBudget, type BufferLimits } from './fanout/buffer-budget.js';
import { EventFanout } from './fanout/event-fanout.js';
import { nameSessionsAfter } from './forwarding/connection-owner.js';
import { peerHost } from './forwarding/peer-host.js';
import { PollForwarding } from './forwarding/poll-forwarding.js';
import { containErrors } from './http/contain-errors.js';
import { listen } from './http/listen.js';
import { parseOrigins } from './http/origins.js';
import { UnusedConnections } from './http/unused-connections.js';
import { CallLine } from './limits/call-line.js';
import { ClientAddresses, wideNetworks } from './limits/client-address.js';
import type { ClientLimits } from './limits/client-limits.js';
import { ConnectionLimits } from './limits/connection-limits.js';
import { connectionBudget } from './limits/descriptor-limit.js';
import { FairPace } from './limits/fair-pace.js';
import { OpenConnections } from './limits/open-connections.js';
import { Turns } from './limits/turns.js';
import { MediaDownloads, type MediaOptions } from './media/media-downloads.js';
import { addEdgeMetrics, EdgeCounters } from './metrics.js';
import { readinessOf } from './readiness.js';
import { guardCalls } from './rest/call-places.js';
import { chargeCalls } from './rest/call-rates.js';
import { createHttpServer } from './rest/http-server.js';
import { registerRoutes } from './rest/routes.js';
import { OwnerCache } from './sessions/owner-cache.js';
import { QrCodeQuery } from './sessions/qr-code-query.js';
import { SessionCommands } from './sessions/session-commands.js';
import { SessionRemoval } from './sessions/session-removal.js';
import { SessionStarter } from './sessions/session-starter.js';
import { serveEvents } from './sockets/gateway.js';
import { assertEngineInternals, type OpenProbe } from './sockets/internals/assert-engine-internals.js';
import { KeyRevocation } from './sockets/key-revocation.js';
import { createSocketServer } from './sockets/socket-server.js';
import { SseClients } from './sse/sse-clients.js';
import { ReplayGate, type ReplayLimits } from './streams/replay-gate.js';
import { ReplayRates } from './streams/replay-rates.js';
import { ResumeCheckpointer } from './streams/resume-checkpointer.js';
import { Snapshots } from './streams/snapshots.js';
import { TenantStreams } from './streams/tenant-streams.js';

/** Minimum time for which an absent client is remembered, even if the log keeps what it missed for a shorter time. */
const REMEMBER_AT_LEAST_MS = 24 * 60 * 60 * 1000;
const RECHECK_KEYS_MS = 60_000;
/** Half of the second within which the connections of an expired key are closed. */
const EXPIRE_KEYS_MS = 500;
/** Longer than the longest command that a request may wait for. */
const CLOSE_WITHIN_MS = 20_000;

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
  /** How long the log keeps the events that an absent client misses, in ms. The same value as for the workers. */
  readonly eventLogMaxAgeMs: number;
  /** As in the environment variable PEER_HOST. */
  readonly peerHost?: string | undefined;
  /** Default: any free port. */
  readonly peerPort?: number;
  /** The limits of a tenant without limits of its own. */
  readonly tenantLimits: TenantLimits;
  /** Receives the metrics of this edge. */
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Receives the stop handlers of everything that is started here. */
  readonly lifecycle: Lifecycle;
}

/** A running edge. */
export interface Edge {
  readonly port: number;
}

/**
 * Starts an edge: REST, Socket.IO and health checks on one port. It stops in stages: /readyz answers 503; connections
 * are closed, so that clients reconnect elsewhere; commands under way are given up; Redis is closed.
 * @param openProbe opens the objects of the libraries that are checked first.
 * @throws {StartError} if a library lacks what the edge uses, Redis cannot be reached or the port cannot be bound.
 */
export async function startEdge(options: EdgeOptions, openProbe?: OpenProbe): Promise<Edge> {
  await assertEngineInternals(openProbe);
  const { edgeId, redisUrl, host, port, logger, lifecycle } = options;
  const origins = parseOrigins(options.corsOrigin);
  const listenOn =
    options.peerHost === undefined
      ? undefined
      : { host: peerHost(options.peerHost), port: options.peerPort ?? 0 };

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
  const limits = new TenantLimitTable(redis, options.tenantLimits, { logger });
  const client = new CommandClient({ redis, subscriber, clientId: edgeId, limits, logger });
  await client.start();
  lifecycle.onStop('commands', () => client.stop());

  const rates = new TenantRates(redis, limits);
  const leases = new TenantLeases({ redis, limits, holder: edgeId, logger });
  lifecycle.onStop('leases of tenants', () => leases.close());
  const apiKeys = new ApiKeys(redis, { logger });
  const sessions = new SessionDirectory(redis, { logger });
  const keys = new KeyAuthenticator(apiKeys);
  const connections = new KeyConnections();
  const workers = new WorkerRegistry(redis, { logger });
  const owners = new OwnerCache(new Ownership(redis));
  const tally = new EdgeCounters();
  const commands = new SessionCommands({
    ...{ sessions, owners, client, workers },
    onExceeded: (limit) => tally.countLimited(limit),
  });

  const app = createHttpServer(logger, (error) => tally.countRefused(error));
  const fanout = new EventFanout();
  const io = createSocketServer({
    http: app.server,
    publisher: redis,
    subscriber: adapterSubscriber,
    fanout,
    origins,
    logger,
  });
  const { clientLimits, writerLimits } = options;
  const addresses = new ClientAddresses(clientLimits.trustedProxies, clientLimits.proxyHops);
  const wide = wideNetworks(clientLimits.trustedProxies);
  if (wide.length > 0) {
    logger.warn(
      { networks: wide },
      'TRUSTED_PROXIES trusts whole networks: everyone in there who reaches this edge directly can pretend to be any address',
    );
  }
  const guesses = new WrongGuesses(redis);
  const connectionLimits = new ConnectionLimits({
    limits: clientLimits,
    addresses,
    counts: new SocketCounts(redis, { edgeId }),
    guesses,
    tenants: limits,
    onExceeded: (limit) => tally.countLimited(limit),
    logger,
  });
  const budget = connectionBudget(clientLimits.connections);
  if (clientLimits.connections > budget.clients) {
    logger.warn(
      { wanted: clientLimits.connections, connections: budget.clients },
      'MAX_CONNECTIONS is above what the limit of open files allows; raise it (ulimit -n) to serve as many clients',
    );
  }
  const timeouts = { ...CONNECTION_TIMEOUTS, ...options.connectionTimeouts };
  const open = new OpenConnections({
    addresses,
    total: budget.clients,
    perAddress: Math.min(clientLimits.connectionsPerAddress, Math.ceil(budget.clients / 2)),
    onExceeded: (limit) => tally.countLimited(limit),
  });
  const media = new MediaDownloads({
    commands,
    media: options.media,
    onEnded: (outcome) => tally.countDownload(outcome),
    logger,
  });
  const buffers = new BufferBudget({
    limits: options.bufferLimits,
    tenantBytes: (tenantId) => limits.latest(tenantId).bufferedBytes,
    logger,
  });
  const replays = new ReplayGate(options.replayLimits, {
    ...{ buffers, leases },
    rates: new ReplayRates(rates, logger),
    onExceeded: (limit) => tally.countLimited(limit),
  });
  lifecycle.onStop('buffers', () => {
    buffers.close();
    replays.close();
  });
  const pace = new FairPace();
  const turns = new Turns({ pace });
  addEdgeMetrics(options.metrics, { io, fanout, media, open, buffers, replays, turns, pace, tally });
  nameSessionsAfter(edgeId, io.engine);
  const peers = new PollForwarding({
    edgeId,
    http: app.server,
    registry: new EdgeRegistry(redis),
    listenOn,
    origins,
    countLookup: (request) => connectionLimits.begin(connectionLimits.addressOf(request)),
    timeouts,
    maxConnections: budget.peers,
    onOutcome: (outcome) => tally.countForwarded(outcome),
    logger,
  });
  const log = new EventLog(redis);
  const streams = new TenantStreams({
    channel: new EventChannel(subscriber),
    log,
    deliver: (tenantId, event) => fanout.deliver(tenantId, event),
    onFilled: (events) => {
      tally.eventsFilled += events;
    },
    logger,
  });
  subscriber.on('ready', () => streams.resubscribe());
  const offers = new LinkOffers(redis);
  const records = new ResumeRecords(redis, {
    lifeMs: Math.max(options.eventLogMaxAgeMs, REMEMBER_AT_LEAST_MS),
    limits: limits.defaults,
    logger,
  });
  const keeper = new ResumeCheckpointer({ records, logger });
  lifecycle.onStop('positions of clients', () => keeper.close());
  const pages = new SessionPages(redis, sessions);
  const snapshots = new Snapshots({ pages, offers, workers });
  await connectionLimits.start();
  lifecycle.onStop('counts of sockets', () => connectionLimits.close());
  serveEvents(io, {
    ...{ keys, connections, sessions, streams, log, records, keeper, snapshots, buffers, replays },
    ...{ writerLimits, clientLimits, connectionLimits, turns },
    tally,
    logger,
  });
  const sse = new SseClients({
    ...{ keys, connections, streams, log, snapshots, fanout, buffers, replays },
    limits: writerLimits,
    admit: (identity) => connectionLimits.admit(identity),
    tally,
    logger,
  });

  const revocation = new KeyRevocation({ io, keys, connections, apiKeys });
  const recheckKeys = () => {
    revocation.recheck().catch((error: unknown) => logger.warn({ err: error }, 'could not check keys again'));
  };
  adapterSubscriber.on('ready', recheckKeys);
  const rechecking = setInterval(recheckKeys, RECHECK_KEYS_MS);
  const expiring = setInterval(() => connections.closeExpired(), EXPIRE_KEYS_MS);
  lifecycle.onStop('checks of keys', () => {
    clearInterval(rechecking);
    clearInterval(expiring);
  });

  let stopping = false;
  const writable = new SharedWriteProbe(redis);
  const readiness = async (): Promise<Readiness> =>
    stopping ? { ready: false, reason: 'stopping' } : readinessOf(writable, [subscriber, adapterSubscriber]);
  const line = new CallLine({
    ...{ limits: clientLimits, turns },
    onExceeded: (limit) => tally.countLimited(limit),
  });
  await registerRoutes(app, {
    admin: new AdminAccess(options.adminToken, {
      onExceeded: () => tally.countLimited('wrong_admin_tokens'),
      ...{ guesses, logger },
    }),
    metricsToken: options.metricsToken,
    keys,
    connections,
    apiKeys,
    revocation,
    tenants: new TenantDirectory(redis),
    limits,
    leases,
    usage: new TenantUsage({ redis, limits, rates, leases, logger }),
    sessions,
    pages,
    line,
    charge: chargeCalls({ rates, onExceeded: (limit) => tally.countLimited(limit), logger }),
    starter: new SessionStarter({
      ...{ sessions, workers, client, placement, rates, logger },
      maxSessions: limits.defaults.sessions,
      onExceeded: (limit) => tally.countLimited(limit),
    }),
    removal: new SessionRemoval({ sessions, workers, commands, placement, logger }),
    commands,
    currentQr: new QrCodeQuery({ sessions, offers, workers }),
    media,
    sse,
    connectionLimits,
    origins,
    readiness,
    metrics: options.metrics,
  });

  const silent = new UnusedConnections(app.server);
  lifecycle.onStop(
    'connections',
    async () => {
      sse.close();
      streams.close();
      peers.end();
      silent.end();
      // Connections with downloads count as busy until the downloads end, and nothing closes them afterwards.
      const filesHandedOut = media.close().then(() => app.server.closeIdleConnections());
      await io.close();
      await app.close();
      await filesHandedOut;
      await peers.stop();
    },
    { timeoutMs: CLOSE_WITHIN_MS },
  );
  await app.ready();
  guardCalls(app.server, origins, { line, keys, connectionLimits });
  open.guard(app.server);
  containErrors(app.server, logger);
  guardConnections(app.server, timeouts);
  await peers.start();
  const listeningPort = await listen(app.server, { host, port, variable: 'PORT' });
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
