import type { CloseReason, ErrorCode, ErrorDescription } from '@wafleet/contract';
import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { apiKeyOfHandshake } from '../auth/credentials.js';
import { requireScope } from '../auth/identity.js';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import { toWafleetError } from '../errors/to-wafleet-error.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import type { Turn, Turns } from '../limits/turns.js';
import { isReturning } from '../streams/resumption.js';
import type { ClientConnection } from './client-connection.js';
import type { EventSocket } from './socket-server.js';

/** A `connect_error` as clients see it: a sentence as its message, the contract's description as `data`. */
class HandshakeError extends Error {
  readonly data: ErrorDescription;

  constructor(error: WafleetError) {
    super(error.message);
    this.data = error.describe();
  }
}

/** Refusals that a new client is told, since it may be for it to do something about them. */
const TOLD = new Map<ErrorCode, CloseReason>([
  ['TOO_MANY_CONNECTIONS', 'TOO_MANY_CONNECTIONS'],
  ['TOO_MANY_HANDSHAKES', 'TOO_MANY_HANDSHAKES'],
]);

/**
 * The middleware that checks the API key of a socket before its namespace accepts it. A key that is wrong, or lacks the
 * scope `events:read`, is a `connect_error`, as is a limit that is exceeded. Socket.IO's clients stay away after that.
 * So a failure of ours closes the transport instead, after which they try again by themselves; and so does a limit
 * for clients that had been let in before, since nobody is there to tell them to come back.
 */
export function checkApiKey(options: {
  readonly keys: KeyAuthenticator;
  readonly limits: ConnectionLimits;
  /** In which handshakes wait before their keys are checked. */
  readonly turns: Turns;
  readonly clientOf: (socket: EventSocket) => ClientConnection;
  readonly logger: Logger;
  /** Does what is to be done before the client is told that it is connected. */
  readonly onPassed: (socket: EventSocket) => Promise<void>;
  readonly onRefused: (socket: EventSocket) => void;
}) {
  const { keys, limits, turns, clientOf, logger, onPassed, onRefused } = options;

  const authenticate = async (socket: EventSocket): Promise<void> => {
    const client = clientOf(socket);
    const { address } = client;
    // A connection was counted when it was made, and with it the first namespace that it asks for.
    if (!client.beginHandshake()) limits.begin(address);
    const key = apiKeyOfHandshake(socket.handshake);
    const holder = key === undefined ? undefined : keys.knownHolder(key);
    await waitFor(turns.of(holder ?? { address }), client);
    try {
      const identity = await keys.authenticate(key);
      requireScope(identity, 'events:read');
      socket.data.identity = identity;
    } catch (error) {
      if (error instanceof WafleetError) limits.wrongKey(address);
      throw error;
    }
  };

  return async (socket: EventSocket, next: (error?: Error) => void): Promise<void> => {
    let release: (() => void) | undefined;
    try {
      await authenticate(socket);
      release = untilGone(socket, clientOf(socket), await limits.admit(socket.data.identity));
      await onPassed(socket);
      next();
    } catch (error) {
      release?.();
      const known = toWafleetError(error, logger);
      const reason = TOLD.get(known.code);
      if (reason !== undefined && isReturning(socket.handshake.auth)) clientOf(socket).close(reason);
      else if (reason === undefined && known.retryable) socket.conn.close();
      onRefused(socket);
      next(new HandshakeError(known));
    }
  };
}

/** Resolves when the turn comes. Rejects if the connection ends before. */
async function waitFor(turn: Turn, client: ClientConnection): Promise<void> {
  const stay = client.whenEnded(() => turn.withdraw());
  const isTurn = await turn.come();
  stay();
  if (!isTurn) throw new WafleetError('UNAVAILABLE', 'The connection ended before its handshake began.');
}

/** Calls it once the socket has left, or its connection has ended; that may be before the socket is let in. */
function untilGone(socket: EventSocket, client: ClientConnection, release: () => void): () => void {
  if (socket.conn.readyState !== 'open') {
    release();
    return release;
  }
  const leave = () => {
    stay();
    release();
  };
  const stay = client.whenEnded(leave);
  socket.on('disconnect', leave);
  return leave;
}
