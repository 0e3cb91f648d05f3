import type { Server as HttpServer } from 'node:http';
import { EventChannel } from '@wafleet/store';
import { KeyAuthenticator } from '../auth/key-authenticator.js';
import { KeyConnections } from '../auth/key-connections.js';
import { BufferBudget } from '../fanout/buffer-budget.js';
import { EventFanout } from '../fanout/event-fanout.js';
import { nameSessionsAfter } from '../forwarding/connection-owner.js';
import type { AllowedOrigins } from '../http/origins.js';
import { serveEvents } from '../sockets/gateway.js';
import { KeyRevocation } from '../sockets/key-revocation.js';
import { createSocketServer } from '../sockets/socket-server.js';
import { SseClients } from '../sse/sse-clients.js';
import { ReplayGate } from '../streams/replay-gate.js';
import { ReplayRates } from '../streams/replay-rates.js';
import { ResumeCheckpointer } from '../streams/resume-checkpointer.js';
import { Snapshots } from '../streams/snapshots.js';
import { TenantStreams } from '../streams/tenant-streams.js';
import type { EdgeOptions } from './edge-options.js';
import type { EdgeCounters } from './metrics.js';
import type { EdgeLimits } from './wire-limits.js';
import type { EdgeStore } from './wire-store.js';

const RECHECK_KEYS_MS = 60_000;
/** Half of the second within which the connections of an expired key are closed. */
const EXPIRE_KEYS_MS = 500;

interface RealtimeParts {
  /** Socket.IO is attached to it. */
  readonly http: HttpServer;
  readonly store: EdgeStore;
  readonly limits: EdgeLimits;
  readonly origins: AllowedOrigins;
  readonly tally: EdgeCounters;
}

/** What gives clients their events. */
export type Realtime = Awaited<ReturnType<typeof wireRealtime>>;

/** Serves events over Socket.IO and Server-Sent Events. */
export async function wireRealtime(
  options: EdgeOptions,
  { http, store, limits, origins, tally }: RealtimeParts,
) {
  const { edgeId, writerLimits, clientLimits, logger, lifecycle } = options;
  const { connectionLimits, turns } = limits;
  const { adapterSubscriber, subscriber, leases, sessions, pages, offers, workers, log, records } = store;
  const keys = new KeyAuthenticator(store.apiKeys);
  const connections = new KeyConnections();
  const fanout = new EventFanout();
  const io = createSocketServer({
    ...{ http, publisher: store.redis, subscriber: adapterSubscriber, fanout, origins, logger },
  });
  nameSessionsAfter(edgeId, io.engine);

  const buffers = new BufferBudget({
    limits: options.bufferLimits,
    tenantBytes: (tenantId) => store.limits.latest(tenantId).bufferedBytes,
    logger,
  });
  const replays = new ReplayGate(options.replayLimits, {
    ...{ buffers, leases },
    rates: new ReplayRates(store.rates, logger),
    onExceeded: (limit) => tally.countLimited(limit),
  });
  lifecycle.onStop('buffers', () => {
    buffers.close();
    replays.close();
  });
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
  const keeper = new ResumeCheckpointer({ records, logger });
  lifecycle.onStop('positions of clients', () => keeper.close());
  const snapshots = new Snapshots({ pages, offers, workers });
  await connectionLimits.start();
  lifecycle.onStop('counts of sockets', () => connectionLimits.close());
  serveEvents(io, {
    ...{ keys, connections, sessions, streams, log, records, keeper, snapshots, buffers, replays },
    ...{ writerLimits, clientLimits, connectionLimits, turns, tally, logger },
  });
  const sse = new SseClients({
    ...{ keys, connections, streams, log, snapshots, fanout, buffers, replays },
    limits: writerLimits,
    admit: (identity) => connectionLimits.admit(identity),
    ...{ tally, logger },
  });
  const revocation = new KeyRevocation({ io, keys, connections, apiKeys: store.apiKeys });
  checkKeys(options, { store, connections, revocation });
  return { keys, connections, fanout, io, buffers, replays, streams, sse, revocation };
}

/** Closes the connections of keys that have expired, or were revoked while this edge could not receive that. */
function checkKeys(
  { logger, lifecycle }: EdgeOptions,
  parts: {
    readonly store: EdgeStore;
    readonly connections: KeyConnections;
    readonly revocation: KeyRevocation;
  },
): void {
  const { store, connections, revocation } = parts;
  const recheckKeys = () => {
    revocation.recheck().catch((error: unknown) => logger.warn({ err: error }, 'could not check keys again'));
  };
  store.adapterSubscriber.on('ready', recheckKeys);
  const rechecking = setInterval(recheckKeys, RECHECK_KEYS_MS);
  const expiring = setInterval(() => connections.closeExpired(), EXPIRE_KEYS_MS);
  lifecycle.onStop('checks of keys', () => {
    clearInterval(rechecking);
    clearInterval(expiring);
  });
}
