import { type IncomingMessage, ServerResponse } from 'node:http';
import { WafleetError } from '@wafleet/contract';
import { refuseSocket } from '@wafleet/runtime';
import { apiKeyOfHeaders } from '../auth/credentials.js';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import { MAX_FRAME_BYTES } from '../engine/engine-options.js';
import { refusalOf } from '../errors/error-answers.js';
import type { Limit } from '../limits/client-limits.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import type { Turns } from '../limits/turns.js';
import { engineIdOf } from './engine-id.js';
import type { EventServer } from './event-socket.js';

interface RequestGuardOptions {
  readonly connections: ConnectionLimits;
  readonly keys: Pick<KeyAuthenticator, 'knownHolder'>;
  /** Where new connections wait. */
  readonly turns: Turns;
  readonly onExceeded: (limit: Limit) => void;
}

/**
 * Refuses requests before Engine.IO handles them: connections from an address that makes too many, and bodies that are
 * too large. Socket.IO's clients take that for a failure of the transport: they show it as a `connect_error` and try
 * again by themselves, later each time. New connections wait for their turn: by the API key in their headers if this
 * edge knows it, otherwise by their address.
 */
export function guardRequests(
  io: EventServer,
  { connections, keys, turns, onExceeded }: RequestGuardOptions,
): void {
  const open = (request: IncomingMessage, response: unknown, next: () => void) => {
    const address = connections.addressOf(request);
    connections.begin(address);
    const key = apiKeyOfHeaders(request.headers);
    const holder = key === undefined ? undefined : keys.knownHolder(key);
    const turn = turns.of(holder ?? { address });
    const client = response instanceof ServerResponse ? response : request.socket;
    const withdraw = () => turn.withdraw();
    client.once('close', withdraw);
    void turn.come().then((isTurn) => {
      client.off('close', withdraw);
      if (isTurn) next();
    });
  };
  const checkSize = ({ headers }: IncomingMessage) => {
    if (Number(headers['content-length'] ?? 0) <= MAX_FRAME_BYTES) return;
    onExceeded('frame_size');
    throw new WafleetError('PAYLOAD_TOO_LARGE', `A frame may have ${MAX_FRAME_BYTES} bytes.`);
  };
  io.engine.use((request: IncomingMessage, response: unknown, next: () => void) => {
    try {
      if (!isOfSession(request)) {
        open(request, response, next);
        return;
      }
      checkSize(request);
    } catch (error) {
      if (!(error instanceof WafleetError)) throw error;
      refuse(request, response, error);
      return;
    }
    next();
  });
}

/** Whether a request belongs to an existing connection. Engine.IO takes the last `sid` of several. */
function isOfSession({ url = '' }: IncomingMessage): boolean {
  const sid = engineIdOf(url);
  return sid !== undefined && sid !== '';
}

function refuse(request: IncomingMessage, response: unknown, error: WafleetError): void {
  const answer = refusalOf(error, request);
  if (response instanceof ServerResponse) {
    response.writeHead(answer.status, { ...answer.headers, connection: 'close' }).end(answer.body);
    return;
  }
  // For an upgrade Engine.IO passes another object, whose answer would have no content.
  refuseSocket(request.socket, answer);
}
