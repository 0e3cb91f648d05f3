import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { refuseSocket } from '@wafleet/runtime';
import type { AllowedOrigins } from '../http/origins.js';

/** Why a request for a session of another edge was not forwarded to that edge. */
export const REFUSALS = {
  ended: 'Session ID unknown: the edge that had it has ended. Connect again.',
  unreachable:
    'Session ID unknown: the edge that has it cannot be reached. Connect again. If this goes on, edges cannot reach each other at PEER_HOST and PEER_PORT: open that way for them, or give the load balancer sticky sessions.',
  unavailable:
    'Session ID unknown: it cannot be looked up which edge has it, or this one is stopping. Connect again.',
  unconfigured:
    'Session ID unknown: another edge has it. Set PEER_HOST for every edge, or give the load balancer sticky sessions.',
} as const;

export type Refusal = keyof typeof REFUSALS;

/** Engine.IO's code for a session that it does not have; Socket.IO's clients connect again. */
const SESSION_UNKNOWN = 1;

function bodyOf(refusal: Refusal): string {
  return JSON.stringify({ code: SESSION_UNKNOWN, message: REFUSALS[refusal] });
}

/** Answers as Engine.IO does for a session that it does not have, and adds the reason as a sentence. */
export function refuseRequest(
  { headers }: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
  origins: AllowedOrigins,
): void {
  const { origin } = headers;
  const allowed = origins === '*' ? '*' : origins.find((each) => each === origin);
  response
    .writeHead(400, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...(allowed === undefined ? {} : { 'access-control-allow-origin': allowed, vary: 'Origin' }),
    })
    .end(bodyOf(refusal));
}

/** Refuses a WebSocket. Socket.IO's clients then stay with the transport they have. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  refuseSocket(socket, {
    status: 400,
    headers: { 'content-type': 'application/json' },
    body: bodyOf(refusal),
  });
}
