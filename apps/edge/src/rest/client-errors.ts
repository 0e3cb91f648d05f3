import type { Socket } from 'node:net';
import { WafleetError } from '@wafleet/contract';
import { errorBody } from './errors.js';

/**
 * Answers what is no HTTP request in the contract's error shape, and closes the connection. The request itself is
 * neither logged nor repeated: its headers may hold keys.
 */
export function answerMalformedRequests(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const known = isTooLarge
    ? new WafleetError('PAYLOAD_TOO_LARGE', 'The request headers are too large.')
    : new WafleetError('VALIDATION_FAILED', 'This is not a valid HTTP request.');
  const body = JSON.stringify(errorBody(known));
  const status = isTooLarge ? '413 Payload Too Large' : '400 Bad Request';
  socket.end(
    [
      `HTTP/1.1 ${status}`,
      'connection: close',
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}
