import { type EventName, isEventName } from './event-names.js';

/** Stands for "every session of the tenant, later ones included" in a room's name. */
export const ALL_SESSIONS = '*';

/** Whose events a room gets. */
export interface EventRoom {
  readonly tenantId: string;
  /** A session's id, or ALL_SESSIONS. */
  readonly session: string;
  readonly event: EventName;
}

/**
 * The Socket.IO room of one event of one session, or of all sessions, of one tenant. The tenant always comes
 * from the API key, never from what a client sends, so that no subscription can name another tenant's room.
 */
export function eventRoom(tenantId: string, session: string, event: EventName): string {
  return `event:${tenantId}:${session}:${event}`;
}

/** What `eventRoom` was given; undefined for a room of another kind, such as that of a socket's own id. */
export function parseEventRoom(room: string): EventRoom | undefined {
  const [kind, tenantId, session, event, ...more] = room.split(':');
  if (kind !== 'event' || tenantId === undefined || session === undefined || event === undefined) return;
  return isEventName(event) && more.length === 0 ? { tenantId, session, event } : undefined;
}
