import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { REQUEST_ID_HEADER, WafleetError } from '@wafleet/contract';
import { apiKeyOfHeaders } from '../auth/credentials.js';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { EnterCall } from '../auth/request-auth.js';
import { refusalOf } from '../errors/error-answers.js';
import type { AllowedOrigins } from '../http/origins.js';
import { stepBetween } from '../http/request-listeners.js';
import type { CallLine, CallPlace } from '../limits/call-line.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import type { Caller } from '../limits/turns.js';
import { PacedRefusals } from './paced-refusals.js';

interface CallPlacesOptions {
  readonly line: CallLine;
  readonly keys: Pick<KeyAuthenticator, 'knownHolder'>;
  readonly connectionLimits: Pick<ConnectionLimits, 'addressOf'>;
}

/** The calls that were counted before Fastify received them. */
const places = new WeakMap<IncomingMessage, CallPlace>();

/**
 * Counts calls with keys that this edge knows, and makes them wait for their turn, before Fastify receives them, so
 * that a refusal costs little. Call it once all listeners of the server for requests are there.
 */
export function guardCalls(server: Server, origins: AllowedOrigins, options: CallPlacesOptions): void {
  const { line } = options;
  const refusals = new PacedRefusals();
  const local = stepBetween(server, {
    request: (request, response) => {
      const caller = isCounted(request) ? knownCallerOf(request, options) : undefined;
      if (caller === undefined) {
        local.request(request, response);
        return;
      }
      try {
        const place = line.enter(caller);
        places.set(request, place);
        inTurn(response, place).then(
          () => local.request(request, response),
          // The client is gone.
          () => {},
        );
      } catch (error) {
        if (!(error instanceof WafleetError)) throw error;
        refusals.add(request.socket, () => refuse(request, response, { error, origins }));
      }
    },
    upgrade: (request, socket, head) => local.upgrade(request, socket, head),
  });
}

/** Counts each call until it is answered or its client is gone, and makes it wait for its turn. */
export function countCalls(options: CallPlacesOptions): EnterCall {
  return async ({ raw }, reply) =>
    places.get(raw) ?? inTurn(reply.raw, options.line.enter(callerOf(raw, options)));
}

/** Only makes calls wait for their turn, where something else bounds how many there are. */
export function lineUpCalls(options: CallPlacesOptions): EnterCall {
  return ({ raw }, reply) => inTurn(reply.raw, options.line.enterUncounted(callerOf(raw, options)));
}

/** Whether it is a REST call, other than the one for a stream, which stays open. */
function isCounted({ url = '' }: IncomingMessage): boolean {
  return url.startsWith('/api/') && !url.startsWith('/api/events');
}

function knownCallerOf({ headers }: IncomingMessage, { keys }: CallPlacesOptions): Caller | undefined {
  const key = apiKeyOfHeaders(headers);
  return key === undefined ? undefined : keys.knownHolder(key);
}

/**
 * The caller of a request. A key that this edge has not seen lately may be a guess, so its call counts for its address.
 */
function callerOf(request: IncomingMessage, options: CallPlacesOptions): Caller {
  return knownCallerOf(request, options) ?? { address: options.connectionLimits.addressOf(request) };
}

async function inTurn(response: ServerResponse, place: CallPlace): Promise<CallPlace> {
  // Always emitted: after an answer, and when the client goes, since connections are guarded.
  response.once('close', () => place.leave());
  await place.turn();
  return place;
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { error, origins }: { error: WafleetError; origins: AllowedOrigins },
): void {
  const { origin } = request.headers;
  const { status, headers, body } = refusalOf(error, request);
  const allowed = origins === '*' ? '*' : origins.find((each) => each === origin);
  const cors = {
    'access-control-allow-origin': allowed,
    'access-control-expose-headers': `retry-after, ${REQUEST_ID_HEADER}`,
    vary: 'Origin',
  };
  response
    .writeHead(status, {
      ...headers,
      'content-length': Buffer.byteLength(body),
      ...(allowed === undefined ? {} : cors),
    })
    .end(body);
}
