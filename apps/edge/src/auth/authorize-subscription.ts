import { LINKING_EVENTS, type SubscribeRequest, type Subscription } from '@wafleet/contract';
import { sessionsNotFound } from '../errors/sessions-not-found.js';
import { type Identity, mayUseSession, requireScope } from './identity.js';

/** What a key may subscribe to of what it asked for. */
export interface AllowedSubscription extends Subscription {
  /** What `sessions` undefined means: the sessions of the key's list; undefined for all of the tenant. */
  readonly sessionsOfKey: ReadonlySet<string> | undefined;
}

/**
 * What of a request the key may subscribe to. Without `sessions:write` the linking events are refused by name, and
 * left out of wildcards; all sessions are those of the key's list, where it has one, existing or not. Whether sessions
 * that are asked for by name exist is for the caller to see.
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
