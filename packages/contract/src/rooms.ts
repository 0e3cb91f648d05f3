import type { EventName } from './event-names.js';

/** Stands for "every session of the tenant, later ones included" in a room's name. */
export const ALL_SESSIONS = '*';

/**
 * The Socket.IO room of one event of one session, or of all sessions, of one tenant. The tenant always comes
 * from the API key, never from what a client sends, so that no subscription can name another tenant's room.
 */
export function eventRoom(tenantId: string, sessionId: string, event: EventName): string {
  return `event:${tenantId}:${sessionId}:${event}`;
}

/** The two rooms that an event of a session goes to. */
export function roomsOfEvent(tenantId: string, sessionId: string, event: EventName): [string, string] {
  return [eventRoom(tenantId, sessionId, event), eventRoom(tenantId, ALL_SESSIONS, event)];
}

/** Whether a room is one of this event's: of any one session of the tenant, or of all of them. */
export function isRoomOfEvent(room: string, tenantId: string, event: EventName): boolean {
  return room.startsWith(`event:${tenantId}:`) && room.endsWith(`:${event}`);
}
