import type { FastifyReply, FastifyRequest } from 'fastify';
import { apiKeyOfHeaders } from '../auth/credentials.js';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { EnterCall } from '../auth/request-auth.js';
import type { Caller, CallLine, CallPlace } from '../limits/call-line.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';

interface CallPlacesOptions {
  readonly line: CallLine;
  readonly keys: Pick<KeyAuthenticator, 'knownHolder'>;
  readonly connectionLimits: Pick<ConnectionLimits, 'addressOf'>;
}

/** Counts each call until it is answered or its client is gone, and has it wait for its turn. */
export function countCalls(options: CallPlacesOptions): EnterCall {
  return (request, reply) => inTurn(reply, options.line.enter(callerOf(request, options)));
}

/** Has calls wait for their turn alone, where something else bounds how many there are. */
export function lineUpCalls(options: CallPlacesOptions): EnterCall {
  return (request, reply) => inTurn(reply, options.line.enterUncounted(callerOf(request, options)));
}

/** A key that this edge has not seen lately may be a guess: its call is one of its address. */
function callerOf({ headers, raw }: FastifyRequest, { keys, connectionLimits }: CallPlacesOptions): Caller {
  const key = apiKeyOfHeaders(headers);
  const known = key === undefined ? undefined : keys.knownHolder(key);
  return known ?? { address: connectionLimits.addressOf(raw) };
}

async function inTurn(reply: FastifyReply, place: CallPlace): Promise<CallPlace> {
  // Comes in any case: after an answer, and when the client goes.
  reply.raw.once('close', () => place.leave());
  await place.turn();
  return place;
}
