import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WafleetError } from '@wafleet/contract';
import { type Logger, refuseSocket } from '@wafleet/runtime';
import type { RedisConnection } from '@wafleet/store';
import { Server } from 'socket.io';
import { ENGINE_OPTIONS, SOCKET_PATH } from '../engine/engine-options.js';
import { refusalOf } from '../errors/error-answers.js';
import type { EventFanout } from '../fanout/event-fanout.js';
import type { AllowedOrigins } from '../http/origins.js';
import { clusterPublisher } from './cluster-publisher.js';
import { limitPongs } from './echo-limit.js';
import type { EventServer } from './event-socket.js';
import { EventsAdapter } from './events-adapter.js';

/**
 * Attaches Socket.IO to an HTTP server. Operations on the whole cluster go through the Redis adapter; events do not
 * (see EventsAdapter).
 */
export function createSocketServer(options: {
  readonly http: HttpServer;
  readonly publisher: RedisConnection;
  readonly subscriber: RedisConnection;
  /** Gives sockets their events. */
  readonly fanout: EventFanout;
  readonly origins: AllowedOrigins;
  readonly logger: Logger;
}): EventServer {
  const { http, publisher, subscriber, fanout, origins, logger } = options;
  const io: EventServer = new Server(http, {
    adapter: EventsAdapter.over(clusterPublisher(publisher, logger), subscriber, fanout),
    ...ENGINE_OPTIONS,
    cors: { origin: origins },
  });
  limitPongs(io, http);
  http.on('upgrade', refuseOtherUpgrades);
  return io;
}

/** Refuses WebSockets on all paths except Socket.IO's own. */
function refuseOtherUpgrades(request: IncomingMessage, socket: Duplex): void {
  const { url = '', headers } = request;
  if (url.startsWith(SOCKET_PATH)) return;
  const error =
    headers.upgrade?.toLowerCase() === 'websocket'
      ? new WafleetError('ROUTE_NOT_FOUND', `WebSockets are at ${SOCKET_PATH} only.`)
      : new WafleetError('VALIDATION_FAILED', 'This edge cannot upgrade a connection to that protocol.');
  refuseSocket(socket, refusalOf(error, request));
}
