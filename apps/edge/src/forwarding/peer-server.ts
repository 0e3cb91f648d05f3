import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { type ConnectionTimeouts, GUARDED_SERVER, guardConnections, refuseSocket } from '@wafleet/runtime';
import type { PeerAddress } from '@wafleet/store';
import { SecretToken } from '../auth/secret-token.js';
import { listen } from '../http/listen.js';
import type { RequestListeners } from '../http/request-listeners.js';
import { sessionOwner } from './connection-owner.js';
import { PEER_TOKEN_HEADER } from './peer-headers.js';

export interface PeerServer {
  readonly address: PeerAddress;
  close(): Promise<void>;
}

/**
 * Listens for requests that other edges forward for Engine.IO sessions of this edge. A request without this edge's
 * token, or for a session that this edge does not have, is refused. Nothing is forwarded from here, so requests do not
 * go round in circles.
 * @throws {StartError} if the address cannot be bound.
 */
export async function startPeerServer(options: {
  readonly edgeId: string;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly local: RequestListeners;
  readonly timeouts?: ConnectionTimeouts;
  /** Connections over this number are cut when they are made. */
  readonly maxConnections: number;
}): Promise<PeerServer> {
  const { edgeId, host, local, timeouts, maxConnections } = options;
  const token = randomBytes(32).toString('base64url');
  const expected = new SecretToken(token);

  /** The status that refuses a request; undefined for a request that is served. */
  const refusal = (request: IncomingMessage): 401 | 404 | undefined => {
    const shown = request.headers[PEER_TOKEN_HEADER];
    if (typeof shown !== 'string' || !expected.matches(shown)) return 401;
    delete request.headers[PEER_TOKEN_HEADER];
    return sessionOwner(request) === edgeId ? undefined : 404;
  };

  const server = createServer(GUARDED_SERVER);
  server.on('request', (request, response) => {
    const status = refusal(request);
    if (status === undefined) local.request(request, response);
    else response.writeHead(status, { connection: 'close' }).end();
  });
  server.on('upgrade', (request, socket, head) => {
    const status = refusal(request);
    if (status === undefined) local.upgrade(request, socket, head);
    else refuseSocket(socket, { status });
  });
  guardConnections(server, timeouts);
  server.maxConnections = maxConnections;
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
