import type { EventPosition } from '@wafleet/contract';
import type { EncodedEvent } from '../fanout/encoded-event.js';
import type { SubscriptionSet } from './subscription-set.js';
import type { LostRange } from './tenant-stream.js';

/** Where one client's events go: a Socket.IO socket, or a response of Server-Sent Events. It keeps their order. */
export interface EventSink {
  /** Whether the client is still there. */
  readonly isOpen: boolean;
  write(event: EncodedEvent): void;
  /** Resolves when at most so many bytes are unsent, or the client is gone. */
  drained(bytes: number): Promise<void>;
  /** Tells the client what is lost to it. */
  tellReset(range: LostRange): void;
  /**
   * Makes the stream be given what is published of these events from now on. The client has been given everything of
   * them up to the position.
   */
  goLive(added: SubscriptionSet, position: EventPosition): void;
}
