import type { CloseReason } from '@wafleet/contract';
import { type Connection, unsentBytes } from '../sockets/engine-internals.js';
import { type Rate, TokenBucket } from './token-bucket.js';

/** How much one connection may send, and leave unread. */
export interface FrameBounds {
  readonly rate: Rate;
  readonly maxUnsentBytes: number;
}

/** A frame counts once, and once more for each so many bytes. */
const BYTES_A_FRAME = 1_000;

/**
 * Bounds what one connection sends, whatever it is: Socket.IO's packets, Engine.IO's, and the pings of WebSocket, each
 * of which has an answer. And that answers pile up which the client does not read.
 */
export class FrameLimit {
  readonly #bounds: FrameBounds;
  readonly #bucket: TokenBucket;

  constructor(bounds: FrameBounds) {
    this.#bounds = bounds;
    this.#bucket = new TokenBucket(bounds.rate);
  }

  /**
   * Counts a frame of the connection.
   * @returns why that is one too many, if it is.
   */
  count(connection: Connection, data?: unknown): CloseReason | undefined {
    if (this.#bucket.take(1 + Math.floor(lengthOf(data) / BYTES_A_FRAME)) > 0) return 'TOO_MANY_FRAMES';
    return unsentBytes(connection) > this.#bounds.maxUnsentBytes ? 'SLOW_CLIENT' : undefined;
  }
}

function lengthOf(data: unknown): number {
  return typeof data === 'string' || data instanceof Uint8Array ? data.length : 0;
}
