import { WafleetError } from '@wafleet/contract';
import type { PasskeyLinks, SessionRef } from '@wafleet/store';
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import { bearerToken } from './credentials.js';
import type { ChargeCall, EnterCall } from './request-auth.js';

const refs = new WeakMap<FastifyRequest, SessionRef>();

/**
 * The session that a request's token is for, on routes behind `requirePasskeyLink`.
 * @throws {WafleetError} UNAUTHORIZED on any other route.
 */
export function linkedSessionOf(request: FastifyRequest): SessionRef {
  const ref = refs.get(request);
  if (ref === undefined) throw new WafleetError('UNAUTHORIZED', 'No token was checked.');
  return ref;
}

interface PasskeyLinkResources {
  readonly passkeyLinks: Pick<PasskeyLinks, 'find'>;
  readonly connectionLimits: Pick<ConnectionLimits, 'addressOf' | 'checkRequest' | 'wrongKeyOfRequest'>;
  readonly enterCall: EnterCall;
  /** Charges the tenant of the session. */
  readonly charge: ChargeCall;
}

/**
 * Lets requests pass that have the token of a helper link. Wrong tokens are bounded as wrong API keys are. Runs before the
 * body is read.
 */
export function requirePasskeyLink(resources: PasskeyLinkResources): onRequestAsyncHookHandler {
  const { passkeyLinks, connectionLimits, enterCall, charge } = resources;
  return async (request, reply) => {
    const place = await enterCall(request, reply);
    const address = connectionLimits.addressOf(request.raw);
    connectionLimits.checkRequest(address);
    const token = bearerToken(request.headers);
    const ref = token === undefined ? undefined : await passkeyLinks.find(token);
    if (ref === undefined) {
      connectionLimits.wrongKeyOfRequest(address);
      throw new WafleetError('UNAUTHORIZED', 'The link has expired, or another one was made.');
    }
    const { tenantId, sessionId } = ref;
    const identity = {
      keyId: `passkey-link:${tenantId}:${sessionId}`,
      tenantId,
      scopes: new Set<never>(),
      sessions: new Set([sessionId]),
      expiresAt: undefined,
    };
    place.recognize(identity);
    place.weigh(await charge(request, reply, identity));
    refs.set(request, ref);
  };
}
