import { type CloseReason, WafleetError } from '@wafleet/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Identity } from '../access/identity.js';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { KeyConnections } from '../auth/key-connections.js';
import { identityOf } from '../auth/request-auth.js';
import { onAnswerEnd } from './answer-end.js';

export interface ClientSignalResources {
  readonly keys: Pick<KeyAuthenticator, 'isRevoked'>;
  /** Closes what a key has open when the key ends. */
  readonly connections: KeyConnections;
}

/**
 * Returns a signal that aborts when the client goes or when its API key ends. The reason is the error that the client
 * then gets. An answer that has begun is cut off when the key ends.
 * @throws {WafleetError} UNAUTHORIZED if the key was revoked meanwhile.
 */
export function clientSignal(
  request: FastifyRequest,
  reply: FastifyReply,
  { keys, connections }: ClientSignalResources,
): AbortSignal {
  const client = new AbortController();
  const identity = identityOf(request);
  if (keys.isRevoked(identity.keyId)) throw keyEnded('KEY_REVOKED', identity);
  const leave = connections.enter(identity, (reason) => {
    client.abort(keyEnded(reason, identity));
    if (reply.raw.headersSent) reply.raw.destroy();
  });
  // The client may have gone while its key was checked.
  onAnswerEnd(reply, (isSent) => {
    leave();
    if (!isSent) client.abort(new WafleetError('UNAVAILABLE', 'The client went away.'));
  });
  return client.signal;
}

function keyEnded(reason: CloseReason, { expiresAt }: Identity): WafleetError {
  if (reason !== 'KEY_EXPIRED' || expiresAt === undefined) {
    return new WafleetError('UNAUTHORIZED', 'The API key was revoked.');
  }
  const expiredAt = new Date(expiresAt).toISOString();
  return new WafleetError('KEY_EXPIRED', `The API key expired at ${expiredAt}.`, { expiredAt });
}
