import { type EventName, isEventName } from './event-names.js';

/** Stands for "every session of the tenant, later ones included" in a room's name. */
export const ALL_SESSIONS = '*';

const OF_KEY = '@';

/** Stands for "every session of the API key's list" in a room's name. No session has such an id. */
export function sessionsOfKey(keyId: string): string {
  return OF_KEY + keyId;
}

/** Whether `session` is what `sessionsOfKey` returns for some key. */
export function isSessionsOfKey(session: string): boolean {
  return session.startsWith(OF_KEY);
}

/** Whose events a room gets. */
export interface EventRoom {
  readonly tenantId: string;
  /** A session's id, ALL_SESSIONS, or what `sessionsOfKey` returns. */
  readonly session: string;
  readonly event: EventName;
}

/**
 * The Socket.IO room of one event of one session, of all sessions, or of an API key's list, of one tenant. Tenant and
 * key always come from the API key, never from what a client sends, so that no subscription can name another tenant's
 * room or another key's.
 */
export function eventRoom(tenantId: string, session: string, event: EventName): string {
  return `event:${tenantId}:${session}:${event}`;
}

/** Returns the arguments of `eventRoom`; undefined for a room of another kind, such as that of a socket's own id. */
export function parseEventRoom(room: string): EventRoom | undefined {
  const [kind, tenantId, session, event, ...more] = room.split(':');
  if (kind !== 'event' || tenantId === undefined || session === undefined || event === undefined) return;
  return isEventName(event) && more.length === 0 ? { tenantId, session, event } : undefined;
}
