import type { IncomingMessage } from 'node:http';
import type { Connection } from '../engine/connection.js';
import { forgetRequest, replaceHandshake, replaceRequest } from '../engine/requests.js';
import type { EventServer, EventSocket } from './event-socket.js';

const NO_HEADERS = {};
const REQUESTS = {
  encrypted: { headers: NO_HEADERS, connection: { encrypted: true } },
  plain: { headers: NO_HEADERS, connection: { encrypted: false } },
};
const HANDSHAKE: EventSocket['handshake'] = {
  ...{ headers: {}, time: '', address: '', xdomain: false, secure: false, issued: 0, url: '', query: {} },
  auth: {},
};

/**
 * Releases the requests that WebSockets were opened with, which would be kept as long as their connections: more than a
 * kilobyte each, and headers that must not be found in memory later. A namespace that is asked for sees only the
 * headers that an API key can stand in.
 *
 * Call it after everything else that looks at the request when a connection is made. Engine.IO 6 keeps the request of a
 * connection by its name, and that of an upgrade a second time with the object that answers it.
 */
export function releaseRequests(io: EventServer): void {
  const answers = new WeakMap<IncomingMessage, object>();
  io.engine.use((request: IncomingMessage, answer: object, next: () => void) => {
    answers.set(request, answer);
    next();
  });
  io.engine.on('connection', (connection: Connection) => {
    // A polling request still has to be answered.
    if (connection.transport.name !== 'websocket') return;
    const { request } = connection;
    const { 'x-api-key': apiKey, authorization } = request.headers;
    const rest = REQUESTS[Reflect.get(request.socket, 'encrypted') === true ? 'encrypted' : 'plain'];
    const headers = { ...(apiKey && { 'x-api-key': apiKey }), ...(authorization && { authorization }) };
    replaceRequest(connection, apiKey || authorization ? { ...rest, headers } : rest);
    const answer = answers.get(request);
    if (answer !== undefined) forgetRequest(answer);
  });
}

/**
 * Releases a socket's handshake, including the API key, once it has been let in. Socket.IO gives handshakes to other
 * edges when they ask for the cluster's sockets; these edges then learn nothing of it.
 */
export function releaseHandshake(socket: EventSocket): void {
  replaceHandshake(socket, HANDSHAKE);
}
