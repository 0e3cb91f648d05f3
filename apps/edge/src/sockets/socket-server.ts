import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WafleetError } from '@wafleet/contract';
import { type Logger, refuseSocket } from '@wafleet/runtime';
import type { RedisConnection } from '@wafleet/store';
import { Server } from 'socket.io';
import type { EventFanout } from '../fanout/event-fanout.js';
import { EventsAdapter } from '../fanout/events-adapter.js';
import type { AllowedOrigins } from '../http/origins.js';
import { refusalOf } from '../rest/errors.js';
import { clusterPublisher } from './cluster-publisher.js';
import { limitPongs } from './echo-limit.js';
import type { EventServer } from './event-socket.js';

/** The path under which Socket.IO is served. */
export const SOCKET_PATH = '/socket.io/';
/** Larger than any valid subscription. */
export const MAX_FRAME_BYTES = 100_000;
/** How long a connection may take to ask for a namespace. */
const CONNECT_WITHIN_MS = 15_000;
/** Maximum age of the proof of what has arrived: a pong proves that everything sent before its ping has arrived. */
const PING_INTERVAL_MS = 10_000;

/**
 * Attaches Socket.IO to an HTTP server. Operations on the whole cluster go through the Redis adapter; events do not
 * (see EventsAdapter). Socket.IO's own connection state recovery stays off, since it gives events a second argument,
 * which python-socketio's listeners do not take. perMessageDeflate stays off, since it costs 4 to 9 times the CPU and
 * 16 times the memory.
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
    transports: ['polling', 'websocket'],
    cors: { origin: origins },
    maxHttpBufferSize: MAX_FRAME_BYTES,
    connectTimeout: CONNECT_WITHIN_MS,
    pingInterval: PING_INTERVAL_MS,
    perMessageDeflate: false,
    httpCompression: false,
    serveClient: false,
    // Engine.IO would end such connections without closing them.
    destroyUpgrade: false,
  });
  limitPongs(io, http);
  http.on('upgrade', refuseOtherUpgrades);
  return io;
}

/** Refuses WebSockets on all paths except Socket.IO's own. */
function refuseOtherUpgrades({ url = '', headers }: IncomingMessage, socket: Duplex): void {
  if (url.startsWith(SOCKET_PATH)) return;
  const error =
    headers.upgrade?.toLowerCase() === 'websocket'
      ? new WafleetError('ROUTE_NOT_FOUND', `WebSockets are at ${SOCKET_PATH} only.`)
      : new WafleetError('VALIDATION_FAILED', 'This edge cannot upgrade a connection to that protocol.');
  refuseSocket(socket, refusalOf(error));
}
