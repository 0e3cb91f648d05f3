import { NAMESPACES, roomsOfEvent } from '@wafleet/contract';
import type { LoggedEvent } from '@wafleet/store';
import type { EventServer } from '../sockets/socket-server.js';
import { EncodedEvent } from './encoded-event.js';
import { EventsAdapter } from './events-adapter.js';
import { RoomIndex } from './room-index.js';

/** Gives a tenant's events to the clients of this edge that are subscribed to them: sockets, and others. */
export class EventFanout {
  readonly #adapters: readonly EventsAdapter[];
  /** Clients that are no sockets. */
  readonly rooms = new RoomIndex();
  /** How often an event was given to a socket, since the start. */
  delivered = 0;

  constructor(io: EventServer) {
    this.#adapters = NAMESPACES.map((name) => {
      const { adapter } = io.of(name);
      if (!(adapter instanceof EventsAdapter)) throw new Error(`${name} does not have the events' adapter`);
      return adapter;
    });
  }

  /** Each subscribed client gets the event once. */
  deliver(tenantId: string, event: LoggedEvent): void {
    const rooms = roomsOfEvent(tenantId, event.sessionId, event.event);
    const encoded = new EncodedEvent(event);
    for (const adapter of this.#adapters) this.delivered += adapter.deliver(rooms, encoded);
    this.rooms.deliver(rooms, encoded);
  }
}
