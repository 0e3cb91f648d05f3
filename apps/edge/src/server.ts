import { setTimeout as delay } from 'node:timers/promises';
import { CONNECTION_TIMEOUTS, guardConnections, type Readiness } from '@wafleet/runtime';
import { EdgeRegistry, SharedWriteProbe } from '@wafleet/store';
import { assertEngineInternals, type OpenProbe } from './engine/assert-engine-internals.js';
import { peerHost } from './forwarding/peer-host.js';
import { PollForwarding } from './forwarding/poll-forwarding.js';
import { containErrors } from './http/contain-errors.js';
import { listen } from './http/listen.js';
import { parseOrigins } from './http/origins.js';
import { UnusedConnections } from './http/unused-connections.js';
import { readinessOf } from './readiness.js';
import { guardCalls } from './rest/call-places.js';
import { createHttpServer } from './rest/http-server.js';
import type { EdgeOptions } from './wiring/edge-options.js';
import { addEdgeMetrics, EdgeCounters } from './wiring/metrics.js';
import { wireHttp } from './wiring/wire-http.js';
import { wireLimits } from './wiring/wire-limits.js';
import { wireRealtime } from './wiring/wire-realtime.js';
import { wireStore } from './wiring/wire-store.js';

/** Longer than the longest command that a request may wait for. */
const CLOSE_WITHIN_MS = 20_000;

/** A running edge. */
export interface Edge {
  readonly port: number;
}

/**
 * Starts an edge: REST, Socket.IO and health checks on one port, and runs jobs. It stops in stages: it runs no more jobs;
 * /readyz answers 503; connections
 * are closed, so that clients reconnect elsewhere; commands under way are given up; Redis is closed.
 * @param openProbe opens the objects of the libraries that are checked first.
 * @throws {StartError} if a library lacks what the edge uses, Redis cannot be reached or the port cannot be bound.
 */
export async function startEdge(options: EdgeOptions, openProbe?: OpenProbe): Promise<Edge> {
  await assertEngineInternals(openProbe);
  const { edgeId, host, port, logger, lifecycle } = options;
  const origins = parseOrigins(options.corsOrigin);
  const listenOn =
    options.peerHost === undefined
      ? undefined
      : { host: peerHost(options.peerHost), port: options.peerPort ?? 0 };

  const store = await wireStore(options);
  const tally = new EdgeCounters();
  const limits = wireLimits(options, { store, tally });
  const { connectionLimits, budget, open, turns, pace, line } = limits;
  const app = createHttpServer(logger, (error) => tally.countRefused(error));
  const http = app.server;
  const realtime = await wireRealtime(options, { http, store, limits, origins, tally });
  const { io, fanout, buffers, replays, streams, sse, keys } = realtime;
  const timeouts = { ...CONNECTION_TIMEOUTS, ...options.connectionTimeouts };
  const peers = new PollForwarding({
    ...{ edgeId, http, registry: new EdgeRegistry(store.redis), listenOn, origins, timeouts, logger },
    countLookup: (request) => connectionLimits.begin(connectionLimits.addressOf(request)),
    maxConnections: budget.peers,
    onOutcome: (outcome) => tally.countForwarded(outcome),
  });

  let stopping = false;
  const writable = new SharedWriteProbe(store.redis);
  const readiness = async (): Promise<Readiness> =>
    stopping
      ? { ready: false, reason: 'stopping' }
      : readinessOf(writable, [store.subscriber, store.adapterSubscriber]);
  const files = await wireHttp(app, options, { store, limits, realtime, origins, readiness, tally });
  const { media, places: uploads, jobRunner } = files;
  addEdgeMetrics(options.metrics, {
    ...{ io, fanout, media, uploads, jobRunner, open, buffers, replays, turns, pace, tally },
  });

  const silent = new UnusedConnections(http);
  lifecycle.onStop(
    'connections',
    async () => {
      sse.close();
      streams.close();
      peers.end();
      silent.end();
      // Connections with downloads count as busy until the downloads end, and nothing closes them afterwards.
      const filesHandedOut = files.close().then(() => http.closeIdleConnections());
      await io.close();
      await app.close();
      await filesHandedOut;
      await peers.stop();
    },
    { timeoutMs: CLOSE_WITHIN_MS },
  );
  await app.ready();
  guardCalls(http, origins, { line, keys, connectionLimits });
  open.guard(http);
  containErrors(http, logger);
  guardConnections(http, timeouts);
  await peers.start();
  const listeningPort = await listen(http, { host, port, variable: 'PORT' });
  lifecycle.onStop(
    'readiness',
    async () => {
      stopping = true;
      await delay(options.stopDelayMs);
    },
    { timeoutMs: options.stopDelayMs + 1_000 },
  );

  jobRunner.start();
  lifecycle.onStop('jobs', () => jobRunner.stop());

  logger.info({ host, port: listeningPort }, 'serving');
  return { port: listeningPort };
}
