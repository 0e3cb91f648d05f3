import type { CloseReason, WafleetError } from '@wafleet/contract';
import type { WriteTally } from '../fanout/socket-writer.js';
import type { Limit } from '../limits/client-limits.js';

/** Counts what happens to the connections of Socket.IO. */
export interface ConnectionTally {
  readonly written: WriteTally;
  countClosed(reason: CloseReason): void;
  countLimited(limit: Limit): void;
  /** Counts the limit that an error reports to a client, unless it was counted before. */
  countRefused(error: WafleetError): void;
}
