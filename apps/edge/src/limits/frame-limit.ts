import type { CloseReason } from '@wafleet/contract';
import { type Connection, unsentBytes, webSocketOf } from '../sockets/engine-internals.js';
import { type Rate, TokenBucket } from './token-bucket.js';

interface FrameLimitOptions {
  readonly rate: Rate;
  readonly maxUnsentBytes: number;
  readonly onExceeded: (reason: CloseReason) => void;
}

/** A frame counts once, and once more for each so many bytes. */
const BYTES_A_FRAME = 1_000;

/**
 * Bounds what one connection sends, whatever it is: Socket.IO's packets, Engine.IO's, and the pings of WebSocket, each
 * of which has an answer. And that answers pile up which the client does not read. Calls `onExceeded`, once.
 */
export function limitFrames(connection: Connection, options: FrameLimitOptions): void {
  const bucket = new TokenBucket(options.rate);
  let isExceeded = false;
  const exceed = (reason: CloseReason) => {
    if (isExceeded) return;
    isExceeded = true;
    options.onExceeded(reason);
  };
  const count = (packet?: { readonly data?: unknown }) => {
    if (bucket.take(1 + Math.floor(lengthOf(packet?.data) / BYTES_A_FRAME)) > 0) exceed('TOO_MANY_FRAMES');
    else if (unsentBytes(connection) > options.maxUnsentBytes) exceed('SLOW_CLIENT');
  };
  connection.on('packet', count);
  // A probe of the transport that the connection is to be upgraded to.
  connection.on('upgrading', () => count());
  const countPings = () => webSocketOf(connection)?.on('ping', () => count());
  countPings();
  connection.on('upgrade', countPings);
}

function lengthOf(data: unknown): number {
  return typeof data === 'string' || data instanceof Uint8Array ? data.length : 0;
}
