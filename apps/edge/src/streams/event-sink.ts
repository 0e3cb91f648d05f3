import type { EventPosition } from '@wafleet/contract';
import type { EncodedEvent } from '../fanout/encoded-event.js';
import type { SubscriptionSet } from './subscription-set.js';
import type { LostRange } from './tenant-stream.js';

/** Where one client's events go: a Socket.IO socket, or a response of Server-Sent Events. Keeps their order. */
export interface EventSink {
  /** Whether the client is still there. */
  readonly isOpen: boolean;
  write(event: EncodedEvent): void;
  /** Resolves when at most `bytes` bytes are unsent, or the client is gone. */
  drained(bytes: number): Promise<void>;
  /** Reports a loss of events to the client. */
  tellReset(range: LostRange): void;
  /**
   * Gives the stream everything that is published of these events from now on. The client has been given everything of
   * them up to the position.
   */
  goLive(added: SubscriptionSet, position: EventPosition): void;
}
