import type { IncomingMessage } from 'node:http';
import type { Connection } from './engine-internals.js';
import type { EventServer, EventSocket } from './socket-server.js';

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
 * Lets go of the requests that WebSockets were opened with, which would be kept as long as their connections: more than
 * a kilobyte of each, and the headers, which nobody is to find in memory later. A namespace that is asked for sees the
 * headers that an API key can stand in, and of the rest nothing.
 *
 * Call it after whatever else looks at the request when a connection is made. Engine.IO 6 keeps the request of a
 * connection by its name, and that of an upgrade once more with what it answers it by.
 */
export function releaseRequests(io: EventServer): void {
  const answers = new WeakMap<IncomingMessage, object>();
  io.engine.use((request: IncomingMessage, answer: object, next: () => void) => {
    answers.set(request, answer);
    next();
  });
  io.engine.on('connection', (connection: Connection) => {
    // A request to poll is still to be answered.
    if (connection.transport.name !== 'websocket') return;
    const { request } = connection;
    const { 'x-api-key': apiKey, authorization } = request.headers;
    const rest = REQUESTS[Reflect.get(request.socket, 'encrypted') === true ? 'encrypted' : 'plain'];
    const headers = { ...(apiKey && { 'x-api-key': apiKey }), ...(authorization && { authorization }) };
    Reflect.set(connection, 'request', apiKey || authorization ? { ...rest, headers } : rest);
    const answer = answers.get(request);
    if (answer !== undefined) Reflect.set(answer, 'req', undefined);
  });
}

/**
 * Lets go of a socket's handshake, API key and all, once it has been let in. Other edges, which Socket.IO tells of its
 * handshake when they ask for the cluster's sockets, learn nothing of it.
 */
export function releaseHandshake(socket: EventSocket): void {
  Reflect.set(socket, 'handshake', HANDSHAKE);
}
