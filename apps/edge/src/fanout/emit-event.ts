import { NAMESPACES, roomsOfEvent } from '@wafleet/contract';
import type { LoggedEvent } from '@wafleet/store';
import type { EventServer } from '../sockets/socket-server.js';

/**
 * Emits an event to the sockets of this edge that are subscribed to it, in both namespaces, with its payload as the
 * only argument. A socket in both of the event's rooms gets it once. The body is parsed only if somebody listens.
 */
export function emitEvent(io: EventServer, tenantId: string, event: LoggedEvent): void {
  const rooms = roomsOfEvent(tenantId, event.sessionId, event.event);
  const listening = NAMESPACES.map((name) => io.of(name)).filter(({ adapter }) =>
    rooms.some((room) => adapter.rooms.has(room)),
  );
  if (listening.length === 0) return;

  const payload = JSON.parse(event.body);
  for (const namespace of listening) namespace.local.to(rooms).emit(event.event, payload);
}
