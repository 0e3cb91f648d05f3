import {
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { limitBodyTime } from './body-timeouts.js';
import { guardQueuedResponse } from './queued-responses.js';

/** How long the connections of an HTTP server may take, ms. */
export interface ConnectionTimeouts {
  /** For the head of a request. The first one counts from the moment when the connection is made. */
  readonly headersMs: number;
  /** For the body of a request, unless `allowSlowBody` was called for it. */
  readonly requestMs: number;
  /** Between two requests. Must be longer than a proxy in front keeps a connection that is idle. */
  readonly keepAliveMs: number;
  /** Without a single byte in either direction while a request is answered. */
  readonly stalledMs: number;
}

export const CONNECTION_TIMEOUTS: ConnectionTimeouts = {
  headersMs: 10_000,
  requestMs: 60_000,
  keepAliveMs: 75_000,
  stalledMs: 120_000,
};

/** For the constructor of a server that is guarded: Node looks for requests that take too long this often. */
export const GUARDED_SERVER = { connectionsCheckingInterval: 1_000 } as const satisfies ServerOptions;

/** How long a client may take to read why it was refused, before it is cut. */
const LINGER_MS = 1_000;

/**
 * Makes sure that no client can end the process or hold a connection open by sending nothing. Node takes its own error
 * listener off a connection that is upgraded, and leaves none on a response that has ended; an error without a listener
 * ends the process. A response is closed when its connection is, even if it is queued behind another, and a connection
 * with more than 4,096 of those is cut. Call it after all listeners for requests are added.
 */
export function guardConnections(server: Server, timeouts: ConnectionTimeouts = CONNECTION_TIMEOUTS): void {
  server.headersTimeout = timeouts.headersMs;
  // Node's own limit cannot be lifted for a request whose body is a file.
  server.requestTimeout = 0;
  limitBodyTime(server, timeouts.requestMs);
  server.keepAliveTimeout = timeouts.keepAliveMs;
  server.timeout = timeouts.stalledMs;
  server.on('connection', guardSocket);
  server.prependListener('request', guardResponse);
}

/** Answers of connections that are being refused. */
const refused = new WeakSet<Duplex>();

export interface RefusalAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Answers on a connection that no HTTP response exists for, and closes it: at the latest after one second, even if the
 * client neither reads nor closes its own side. Never throws. A second call for the same connection does nothing.
 */
export function refuseSocket(socket: Duplex, { status, headers = {}, body = '' }: RefusalAnswer): void {
  if (refused.has(socket)) return;
  refused.add(socket);
  guardSocket(socket);
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const lines = Object.entries({
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`, ...lines, '', body].join('\r\n'));
  // What the client still sends is read and dropped: the system resets a connection that has unread bytes when it is
  // closed, and the client might then not see the answer.
  socket.resume();
  const cutting = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(cutting));
}

function guardSocket(socket: Duplex): void {
  socket.on('error', ignore);
}

function guardResponse(request: IncomingMessage, response: ServerResponse): void {
  response.on('error', ignore);
  guardQueuedResponse(request, response);
}

/** `close` follows. */
function ignore(): void {}
