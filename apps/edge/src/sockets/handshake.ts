import type { ErrorDescription, WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { apiKeyOfHandshake } from '../auth/credentials.js';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import { toWafleetError } from '../errors/to-wafleet-error.js';
import type { EventSocket } from './socket-server.js';

/** A `connect_error` as clients see it: a sentence as its message, the contract's description as `data`. */
class HandshakeError extends Error {
  readonly data: ErrorDescription;

  constructor(error: WafleetError) {
    super(error.message);
    this.data = error.describe();
  }
}

/**
 * The middleware that checks the API key of a socket before its namespace accepts it. A wrong key is a
 * `connect_error`. A failure of ours closes the transport instead: clients try again by themselves after that,
 * but not after a `connect_error`.
 */
export function checkApiKey(options: {
  readonly keys: KeyAuthenticator;
  readonly logger: Logger;
  readonly onRefused: (socket: EventSocket) => void;
}) {
  const { keys, logger, onRefused } = options;
  return async (socket: EventSocket, next: (error?: Error) => void): Promise<void> => {
    try {
      socket.data.identity = await keys.authenticate(apiKeyOfHandshake(socket.handshake));
      next();
    } catch (error) {
      const known = toWafleetError(error, logger);
      if (known.retryable) socket.conn.close();
      onRefused(socket);
      next(new HandshakeError(known));
    }
  };
}
