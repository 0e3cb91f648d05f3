import type { EventName } from '@wafleet/contract';

/** A unit that clients get: an item of an event's list, or the event if it has no list. */
export interface Published {
  readonly event: EventName;
  readonly payload: Readonly<Record<string, unknown>>;
}
