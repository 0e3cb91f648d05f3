import { WafleetError } from '@wafleet/contract';
import type { SessionRef } from '@wafleet/store';
import type { FastifyRequest } from 'fastify';
import { mayUseSession } from '../access/identity.js';
import { identityOf } from './request-auth.js';

/**
 * The session that a request's path names. The tenant is that of the API key, so no path leads to another tenant.
 * @throws {WafleetError} SESSION_NOT_FOUND if it is not in the key's list, as for a session that does not exist.
 */
export function sessionRefOf(
  request: FastifyRequest,
  { id: sessionId }: { readonly id: string },
): SessionRef {
  const identity = identityOf(request);
  if (!mayUseSession(identity, sessionId)) {
    throw new WafleetError('SESSION_NOT_FOUND', `There is no session ${sessionId}.`);
  }
  return { tenantId: identity.tenantId, sessionId };
}
