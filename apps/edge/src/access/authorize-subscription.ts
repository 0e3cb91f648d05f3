import { LINKING_EVENTS, type SubscribeRequest, type Subscription } from '@wafleet/contract';
import { sessionsNotFound } from '../errors/sessions-not-found.js';
import { type Identity, mayUseSession, requireScope } from './identity.js';

/** The part of a requested subscription that a key may have. */
export interface AllowedSubscription extends Subscription {
  /**
   * What `sessions: undefined` stands for: the sessions of the key's list; undefined for all sessions of the tenant.
   */
  readonly sessionsOfKey: ReadonlySet<string> | undefined;
}

/**
 * Reduces a request to what the key may subscribe to. Without `sessions:write`, linking events are refused if they are
 * named, and left out of wildcards. If the key has a list, all sessions means the sessions of the list, whether they
 * exist or not. The caller must check that sessions requested by name exist.
 * @throws {WafleetError} FORBIDDEN with `details` {scope, events} for events, SESSION_NOT_FOUND for sessions.
 */
export function authorizeSubscription(
  identity: Identity,
  { events, named, sessions }: Pick<SubscribeRequest, 'events' | 'named' | 'sessions'>,
): AllowedSubscription {
  const linking = events.filter((event) => LINKING_EVENTS.has(event));
  const insisted =
    linking.length === events.length ? linking : linking.filter((event) => named.includes(event));
  if (insisted.length > 0) requireScope(identity, 'sessions:write', { events: insisted });

  const missing = sessions?.filter((sessionId) => !mayUseSession(identity, sessionId)) ?? [];
  if (missing.length > 0) throw sessionsNotFound(missing);

  return {
    events: identity.scopes.has('sessions:write')
      ? events
      : events.filter((event) => !LINKING_EVENTS.has(event)),
    sessions,
    sessionsOfKey: identity.sessions,
  };
}
