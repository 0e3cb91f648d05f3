import type { EncodedEvent } from './encoded-event.js';

/** Takes events. */
export interface EventReceiver {
  deliver(event: EncodedEvent): void;
}
