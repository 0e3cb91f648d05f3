import { WafleetError } from '@wafleet/contract';
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { AdminToken } from './admin-token.js';
import { apiKeyOfHeaders, bearerToken } from './credentials.js';
import type { Identity, KeyAuthenticator } from './key-authenticator.js';

interface RequestAuthResources {
  readonly admin: AdminToken;
  readonly keys: KeyAuthenticator;
}

const identities = new WeakMap<FastifyRequest, Identity>();

/**
 * The tenant that a request's API key belongs to, on routes behind `requireApiKey`.
 * @throws {WafleetError} UNAUTHORIZED on a route that is not.
 */
export function tenantOf(request: FastifyRequest): string {
  const identity = identities.get(request);
  if (identity === undefined) throw new WafleetError('UNAUTHORIZED', 'No API key was checked.');
  return identity.tenantId;
}

/** Lets requests with a valid API key pass. Runs before the body is read. */
export function requireApiKey({ admin, keys }: RequestAuthResources): onRequestAsyncHookHandler {
  return async (request) => {
    const key = apiKeyOfHeaders(request.headers);
    if (key !== undefined && admin.matches(key)) {
      throw new WafleetError('FORBIDDEN', 'The admin token is for tenants and keys. Use an API key here.');
    }
    identities.set(request, await keys.authenticate(key));
  };
}

/** Lets requests with the admin token pass. Runs before the body is read. */
export function requireAdmin({ admin, keys }: RequestAuthResources): onRequestAsyncHookHandler {
  return async (request) => {
    const token = bearerToken(request.headers);
    if (token !== undefined && admin.matches(token)) return;

    const key = apiKeyOfHeaders(request.headers);
    if (key === undefined) {
      throw new WafleetError('UNAUTHORIZED', 'This call takes "Authorization: Bearer <ADMIN_TOKEN>".');
    }
    await keys.authenticate(key);
    throw new WafleetError('FORBIDDEN', 'An API key does not allow this call; the admin token does.');
  };
}
