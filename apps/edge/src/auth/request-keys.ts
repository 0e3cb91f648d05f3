import { WafleetError } from '@wafleet/contract';
import type { FastifyRequest } from 'fastify';
import type { Identity } from '../access/identity.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import { apiKeyOfHeaders } from './credentials.js';
import type { KeyAuthenticator } from './key-authenticator.js';

/**
 * Checks the API key of a request.
 * @throws {WafleetError} as KeyAuthenticator does; RATE_LIMITED.
 */
export type CheckKey = (request: FastifyRequest) => Promise<Identity>;

/** For routes on which each request counts as a handshake, including requests with wrong keys. */
export function checkKeysOf({ keys }: { keys: KeyAuthenticator }): CheckKey {
  return (request) => keys.authenticate(apiKeyOfHeaders(request.headers));
}

/**
 * Bounds how many wrong keys come from one address, by the same measure as handshakes. Refuses more before Redis is
 * asked. Valid keys cost nothing, and keys in use at this edge are not refused, whatever comes from the same address.
 * Only Redis knows whether another key is valid.
 */
export function limitWrongKeys(options: {
  readonly keys: KeyAuthenticator;
  readonly connectionLimits: ConnectionLimits;
}): CheckKey {
  const { keys, connectionLimits } = options;
  return async ({ headers, raw }) => {
    const key = apiKeyOfHeaders(headers);
    const address = connectionLimits.addressOf(raw);
    if (key === undefined || !keys.isInUse(key)) connectionLimits.checkRequest(address);
    try {
      return await keys.authenticate(key);
    } catch (error) {
      if (error instanceof WafleetError && error.status === 401) connectionLimits.wrongKeyOfRequest(address);
      throw error;
    }
  };
}
