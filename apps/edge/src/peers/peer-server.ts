import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { PeerAddress } from '@wafleet/store';
import { SecretToken } from '../auth/secret-token.js';
import { listen } from '../listen.js';
import { PEER_TOKEN_HEADER } from './peer-headers.js';
import { sessionOwner } from './session-owner.js';

/** How HTTP requests and upgrades are served; as the listeners of a Node server. */
export interface RequestListeners {
  request(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface PeerServer {
  readonly address: PeerAddress;
  close(): Promise<void>;
}

/** Longer than the other edges keep a connection that nothing goes over. */
const KEEP_ALIVE_MS = 75_000;
const REQUEST_TIMEOUT_MS = 60_000;

/**
 * Listens for the requests that other edges hand on: those of Engine.IO sessions that this edge has. What comes
 * without this edge's token, or belongs to no session of this edge, is refused; nothing is handed on from here, so no
 * request goes round in circles.
 * @throws {StartError} when the address cannot be had.
 */
export async function startPeerServer(options: {
  readonly edgeId: string;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly local: RequestListeners;
}): Promise<PeerServer> {
  const { edgeId, host, local } = options;
  const token = randomBytes(32).toString('base64url');
  const expected = new SecretToken(token);

  /** The status that refuses a request; undefined for one that is served. */
  const refusal = (request: IncomingMessage): 401 | 404 | undefined => {
    const shown = request.headers[PEER_TOKEN_HEADER];
    if (typeof shown !== 'string' || !expected.matches(shown)) return 401;
    delete request.headers[PEER_TOKEN_HEADER];
    return sessionOwner(request) === edgeId ? undefined : 404;
  };

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: REQUEST_TIMEOUT_MS });
  server.on('request', (request, response) => {
    const status = refusal(request);
    if (status === undefined) local.request(request, response);
    else response.writeHead(status, { connection: 'close' }).end();
  });
  server.on('upgrade', (request, socket, head) => {
    const status = refusal(request);
    if (status === undefined) local.upgrade(request, socket, head);
    else socket.on('error', () => {}).end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\n\r\n`);
  });
  const port = await listen(server, { host, port: options.port, variable: 'PEER_PORT' });
  return {
    address: { host, port, token },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
