import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Connection } from '../engine/connection.js';
import { connectionOf } from '../engine/server.js';
import { failTransport } from '../engine/transport-events.js';
import { engineIdOf } from './engine-id.js';
import type { EventServer } from './event-socket.js';

/** Engine.IO's answer for a connection that it does not have; Socket.IO's clients connect again and resume. */
const ENDED = JSON.stringify({
  code: 1,
  message: 'Session ID unknown: an answer to this request was sent before and may be lost. Connect again.',
});

/** What .NET clients send with all requests of one second. */
const IN_SECONDS = /^\d{1,10}$/;
/** More than any client and load balancer uses. A longer one is not kept. */
const MAX_IDENTITY_LENGTH = 256;

/**
 * Ends a connection whose client has not received the answer to its last poll. A load balancer sends a GET request to a
 * second edge when the first one dies (nginx: `proxy_next_upstream error`). If the first one already had the answer of
 * the client's own edge, the events in it are lost, and neither Engine.IO nor the client can see that. The client
 * connects again, and receives them.
 */
export function refuseRepeatedPolls(io: EventServer): void {
  const lastPolls = new WeakMap<Connection, string>();
  io.engine.use((request: IncomingMessage, response: unknown, next: () => void) => {
    const poll = pollOf(request);
    const connection = poll && connectionOf(io, poll.sid);
    if (poll === undefined || connection?.transport.name !== 'polling') {
      next();
      return;
    }
    if (lastPolls.get(connection) === poll.identity && response instanceof ServerResponse) {
      failTransport(connection, 'an answer to a poll was lost');
      response.writeHead(400, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(ENDED);
      return;
    }
    lastPolls.set(connection, poll.identity);
    next();
  });
}

/**
 * What distinguishes a poll from all others of its connection: `t`, which clients make up for each request so that no
 * cache answers it, and the `X-Request-ID` of a load balancer, which stays the same when the load balancer tries again.
 * Returns undefined if the request is not a poll, or cannot be distinguished from others.
 */
function pollOf({
  method,
  url = '',
  headers,
}: IncomingMessage): { sid: string; identity: string } | undefined {
  const sid = method === 'GET' ? engineIdOf(url) : undefined;
  if (sid === undefined) return undefined;
  const t = new URLSearchParams(url.slice(url.indexOf('?'))).get('t');
  const requestId = headers['x-request-id'];
  if (t === null || (requestId === undefined && IN_SECONDS.test(t))) return undefined;
  const identity = JSON.stringify([t, requestId]);
  return identity.length > MAX_IDENTITY_LENGTH ? undefined : { sid, identity };
}
