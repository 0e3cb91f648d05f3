import { type KeyScope, WafleetError } from '@wafleet/contract';
import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { type Identity, requireScope } from '../access/identity.js';
import type { CallPlace } from '../limits/call-line.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import type { AdminAccess } from './admin-access.js';
import { apiKeyOfHeaders, bearerToken, isApiKey } from './credentials.js';
import type { CheckKey } from './request-keys.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope that an API key needs for this route. Every route behind `requireApiKey` declares it. */
    scope?: KeyScope;
  }
}

export interface RequestAuthResources {
  readonly admin: AdminAccess;
  readonly connectionLimits: Pick<ConnectionLimits, 'addressOf'>;
  readonly checkKey: CheckKey;
}

/**
 * Charges a call before any work is done for it.
 * @returns the cost in units; a unit is about the work of a small read.
 * @throws {WafleetError} RATE_LIMITED
 */
export type ChargeCall = (
  request: FastifyRequest,
  reply: FastifyReply,
  identity: Identity,
) => Promise<number>;

/**
 * Gives a call a place among those under way. Resolves when the call may begin.
 * @throws {WafleetError} RATE_LIMITED
 */
export type EnterCall = (request: FastifyRequest, reply: FastifyReply) => Promise<CallPlace>;

export interface ApiKeyResources extends RequestAuthResources {
  /** Called before anything else is checked. */
  readonly enterCall: EnterCall;
  /** Charges the call as soon as its key is known to be valid. */
  readonly charge: ChargeCall;
}

const identities = new WeakMap<FastifyRequest, Identity>();

/**
 * The identity behind a request's API key, on routes behind `requireApiKey`.
 * @throws {WafleetError} UNAUTHORIZED on any other route.
 */
export function identityOf(request: FastifyRequest): Identity {
  const identity = identities.get(request);
  if (identity === undefined) throw new WafleetError('UNAUTHORIZED', 'No API key was checked.');
  return identity;
}

/** Lets requests pass if their API key is valid and has the route's scope. Runs before the body is read. */
export function requireApiKey({
  admin,
  checkKey,
  connectionLimits,
  enterCall,
  charge,
}: ApiKeyResources): onRequestAsyncHookHandler {
  return async (request, reply) => {
    const place = await enterCall(request, reply);
    const identity = await checkKey(request).catch((error: unknown) => {
      // Asked only of keys that are unknown: valid ones of another form would count as guesses of the admin token.
      const key = apiKeyOfHeaders(request.headers);
      if (
        error instanceof WafleetError &&
        error.code === 'UNAUTHORIZED' &&
        key !== undefined &&
        !isApiKey(key) &&
        admin.isShown(key, connectionLimits.addressOf(request.raw))
      ) {
        throw new WafleetError('FORBIDDEN', 'The admin token is for tenants and keys. Use an API key here.');
      }
      throw error;
    });
    place.recognize(identity);
    place.weigh(await charge(request, reply, identity));
    const { scope } = request.routeOptions.config;
    if (scope === undefined) throw new Error(`no scope is declared for ${request.routeOptions.url}`);
    requireScope(identity, scope);
    identities.set(request, identity);
  };
}

/** Lets requests with the admin token pass. Runs before the body is read. */
export function requireAdmin({
  admin,
  checkKey,
  connectionLimits,
}: RequestAuthResources): onRequestAsyncHookHandler {
  return async (request) => {
    const token = bearerToken(request.headers);
    if (
      token !== undefined &&
      !isApiKey(token) &&
      admin.matches(token, connectionLimits.addressOf(request.raw))
    ) {
      return;
    }

    if (apiKeyOfHeaders(request.headers) === undefined) {
      throw new WafleetError('UNAUTHORIZED', 'This call takes "Authorization: Bearer <ADMIN_TOKEN>".');
    }
    try {
      await checkKey(request);
    } catch (error) {
      if (!(error instanceof WafleetError) || error.code !== 'UNAUTHORIZED') throw error;
      throw new WafleetError(
        'UNAUTHORIZED',
        'This is not the admin token. This call takes "Authorization: Bearer <ADMIN_TOKEN>".',
      );
    }
    throw new WafleetError('FORBIDDEN', 'An API key does not allow this call; the admin token does.');
  };
}
