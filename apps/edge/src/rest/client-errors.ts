import type { Socket } from 'node:net';
import { WafleetError } from '@wafleet/contract';
import { refuseSocket } from '@wafleet/runtime';
import { refusalOf } from '../errors/error-answers.js';

/**
 * Answers a request that is not valid HTTP, or does not arrive in time, in the contract's error shape, and closes the
 * connection. The request itself is neither logged nor repeated: its headers may hold keys.
 */
export function answerMalformedRequests(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET') socket.destroy();
  else refuseSocket(socket, refusalOf(toKnown(error), undefined));
}

function toKnown({ code }: NodeJS.ErrnoException): WafleetError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new WafleetError('PAYLOAD_TOO_LARGE', 'The request headers are too large.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new WafleetError('REQUEST_TIMEOUT', 'The request did not arrive completely in time.');
    default:
      return new WafleetError('VALIDATION_FAILED', 'This is not a valid HTTP request.');
  }
}
