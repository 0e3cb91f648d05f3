import type { CloseReason, ErrorCode, ErrorDescription } from '@wafleet/contract';
import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { requireScope } from '../access/identity.js';
import { apiKeyOfHandshake } from '../auth/credentials.js';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import { toWafleetError } from '../errors/to-wafleet-error.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import type { Turn, Turns } from '../limits/turns.js';
import type { ClientConnection } from './client-connection.js';
import type { EventSocket } from './event-socket.js';
import { isReturning } from './resumption.js';

/** A `connect_error` as clients see it: a sentence as its message, the contract's description as `data`. */
class HandshakeError extends Error {
  readonly data: ErrorDescription;

  constructor(error: WafleetError) {
    super(error.message);
    this.data = error.describe();
  }
}

/** Refusals that a new client gets as a `connect_error`, since it may be able to do something about them. */
const REPORTED = new Map<ErrorCode, CloseReason>([
  ['TOO_MANY_CONNECTIONS', 'TOO_MANY_CONNECTIONS'],
  ['TOO_MANY_HANDSHAKES', 'TOO_MANY_HANDSHAKES'],
]);

/**
 * The middleware that checks the API key of a socket before its namespace accepts it. A wrong key, a key without the
 * scope `events:read` and an exceeded limit are each a `connect_error`, after which Socket.IO's clients stay away. So a
 * failure of ours closes the transport instead, and they try again by themselves. An exceeded limit does the same for
 * clients that had been let in before, since nothing else would make them come back.
 */
export function checkApiKey(options: {
  readonly keys: KeyAuthenticator;
  readonly limits: ConnectionLimits;
  /** Where handshakes wait before their keys are checked. */
  readonly turns: Turns;
  readonly clientOf: (socket: EventSocket) => ClientConnection;
  readonly logger: Logger;
  /** Runs before the client learns that it is connected. */
  readonly onPassed: (socket: EventSocket) => Promise<void>;
  readonly onRefused: (socket: EventSocket) => void;
}) {
  const { keys, limits, turns, clientOf, logger, onPassed, onRefused } = options;

  const authenticate = async (socket: EventSocket): Promise<void> => {
    const client = clientOf(socket);
    const { address } = client;
    // The connection was counted when it was made, including the first namespace that it asks for.
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
      const reason = REPORTED.get(known.code);
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

/** Calls `release` once the socket has left or its connection has ended; that may be before the socket is let in. */
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
