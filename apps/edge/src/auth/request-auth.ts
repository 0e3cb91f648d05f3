import { type KeyScope, WafleetError } from '@wafleet/contract';
import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { CallPlace } from '../limits/call-line.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import type { AdminAccess } from './admin-access.js';
import { apiKeyOfHeaders, bearerToken, isApiKey } from './credentials.js';
import { type Identity, requireScope } from './identity.js';
import type { CheckKey } from './request-keys.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What an API key needs for this route; every route behind `requireApiKey` declares it. */
    scope?: KeyScope;
  }
}

export interface RequestAuthResources {
  readonly admin: AdminAccess;
  readonly connectionLimits: Pick<ConnectionLimits, 'addressOf'>;
  readonly checkKey: CheckKey;
}

/**
 * Takes what a call costs, before anything is done for it.
 * @returns the cost in units: about the work of a small read.
 * @throws {WafleetError} RATE_LIMITED
 */
export type ChargeCall = (
  request: FastifyRequest,
  reply: FastifyReply,
  identity: Identity,
) => Promise<number>;

/**
 * Gives a call its place among those that are under way, and resolves when it may begin.
 * @throws {WafleetError} RATE_LIMITED
 */
export type EnterCall = (request: FastifyRequest, reply: FastifyReply) => Promise<CallPlace>;

export interface ApiKeyResources extends RequestAuthResources {
  /** Asked before anything else is looked at. */
  readonly enterCall: EnterCall;
  /** Takes what the call costs, as soon as its key is known to be right. */
  readonly charge: ChargeCall;
}

const identities = new WeakMap<FastifyRequest, Identity>();

/**
 * Whom a request's API key stands for, on routes behind `requireApiKey`.
 * @throws {WafleetError} UNAUTHORIZED on a route that is not.
 */
export function identityOf(request: FastifyRequest): Identity {
  const identity = identities.get(request);
  if (identity === undefined) throw new WafleetError('UNAUTHORIZED', 'No API key was checked.');
  return identity;
}

/** Lets requests pass whose API key is valid and has the route's scope. Runs before the body is read. */
export function requireApiKey({
  admin,
  checkKey,
  connectionLimits,
  enterCall,
  charge,
}: ApiKeyResources): onRequestAsyncHookHandler {
  return async (request, reply) => {
    const place = await enterCall(request, reply);
    const key = apiKeyOfHeaders(request.headers);
    if (key !== undefined && !isApiKey(key) && admin.isShown(key, connectionLimits.addressOf(request.raw))) {
      throw new WafleetError('FORBIDDEN', 'The admin token is for tenants and keys. Use an API key here.');
    }
    const identity = await checkKey(request);
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
