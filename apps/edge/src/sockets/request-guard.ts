import { type IncomingMessage, ServerResponse } from 'node:http';
import { WafleetError } from '@wafleet/contract';
import { refuseSocket } from '@wafleet/runtime';
import type { Limit } from '../limits/client-limits.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import { refusalOf } from '../rest/errors.js';
import { type EventServer, MAX_FRAME_BYTES } from './socket-server.js';

/**
 * Refuses requests before Engine.IO makes anything of them: connections from an address that makes too many, and
 * bodies that are too large. Socket.IO's clients take that for a failure of the transport: they show it as a
 * `connect_error` and try again by themselves, later each time.
 */
export function guardRequests(
  io: EventServer,
  { connections, onExceeded }: { connections: ConnectionLimits; onExceeded: (limit: Limit) => void },
): void {
  const check = (request: IncomingMessage) => {
    if (!isOfSession(request)) {
      connections.begin(connections.addressOf(request));
    } else if (Number(request.headers['content-length'] ?? 0) > MAX_FRAME_BYTES) {
      onExceeded('frame_size');
      throw new WafleetError('PAYLOAD_TOO_LARGE', `A frame may have ${MAX_FRAME_BYTES} bytes.`);
    }
  };
  io.engine.use((request: IncomingMessage, response: unknown, next: () => void) => {
    try {
      check(request);
    } catch (error) {
      if (!(error instanceof WafleetError)) throw error;
      refuse(request, response, error);
      return;
    }
    next();
  });
}

/** Whether a request belongs to a connection that there is already. Engine.IO takes the last `sid` of several. */
function isOfSession({ url = '' }: IncomingMessage): boolean {
  const query = url.indexOf('?');
  const sid = query < 0 ? undefined : new URLSearchParams(url.slice(query)).getAll('sid').at(-1);
  return sid !== undefined && sid !== '';
}

function refuse({ socket }: IncomingMessage, response: unknown, error: WafleetError): void {
  const answer = refusalOf(error);
  if (response instanceof ServerResponse) {
    response.writeHead(answer.status, { ...answer.headers, connection: 'close' }).end(answer.body);
    return;
  }
  // For an upgrade Engine.IO gives something else, whose answer says nothing.
  refuseSocket(socket, answer);
}
