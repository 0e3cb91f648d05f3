import { parseEventRoom } from '@wafleet/contract';
import type { LoggedEvent } from '@wafleet/store';
import { EncodedEvent } from './encoded-event.js';
import type { EventReceiver } from './event-receiver.js';
import { SubscriberIndex } from './subscriber-index.js';

/**
 * Gives a tenant's events to the clients of this edge that take them: sockets of all namespaces, and other clients.
 * Rooms with Socket.IO's names determine what a client takes: see eventRoom. Other rooms are ignored.
 */
export class EventFanout {
  readonly #audiences = new Map<string, SubscriberIndex>();
  /** How often an event was given to a client since the start. */
  delivered = 0;

  /** Number of tenants with clients here that take their events. */
  get size(): number {
    return this.#audiences.size;
  }

  /** @param list the sessions of the receiver's API key, if that has a list. */
  join(room: string, receiver: EventReceiver, list: ReadonlySet<string> | undefined): void {
    const named = parseEventRoom(room);
    if (named === undefined) return;
    const { tenantId, session, event } = named;
    let audience = this.#audiences.get(tenantId);
    if (audience === undefined) {
      audience = new SubscriberIndex();
      this.#audiences.set(tenantId, audience);
    }
    audience.join(session, event, receiver, list);
  }

  leave(room: string, receiver: EventReceiver): void {
    const named = parseEventRoom(room);
    if (named === undefined) return;
    const { tenantId, session, event } = named;
    const audience = this.#audiences.get(tenantId);
    audience?.leave(session, event, receiver);
    if (audience?.isEmpty) this.#audiences.delete(tenantId);
  }

  /** Each client that takes the event gets it once. */
  deliver(tenantId: string, event: LoggedEvent): void {
    const audience = this.#audiences.get(tenantId);
    if (audience !== undefined) this.delivered += audience.deliver(new EncodedEvent(event));
  }
}
