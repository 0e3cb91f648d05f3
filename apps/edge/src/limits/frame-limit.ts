import type { CloseReason } from '@wafleet/contract';
import type { Connection } from '../engine/connection.js';
import { unsentBytes } from '../engine/write-buffer.js';
import { type Rate, TokenBucket } from './token-bucket.js';

/** How much one connection may send, and how much it may leave unread. */
export interface FrameBounds {
  readonly rate: Rate;
  readonly maxUnsentBytes: number;
}

/** A frame counts once, and once more for each BYTES_A_FRAME bytes. */
const BYTES_A_FRAME = 1_000;

/**
 * Bounds everything that one connection sends: packets of Socket.IO and Engine.IO, and WebSocket pings, since each is
 * answered. Also bounds the answers that pile up because the client does not read them.
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
   * @returns the reason to close the connection if this is one frame too many.
   */
  count(connection: Connection, data?: unknown): CloseReason | undefined {
    if (this.#bucket.take(1 + Math.floor(lengthOf(data) / BYTES_A_FRAME)) > 0) return 'TOO_MANY_FRAMES';
    return unsentBytes(connection) > this.#bounds.maxUnsentBytes ? 'SLOW_CLIENT' : undefined;
  }
}

function lengthOf(data: unknown): number {
  return typeof data === 'string' || data instanceof Uint8Array ? data.length : 0;
}
