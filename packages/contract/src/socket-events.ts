import type { CONNECTION_CLOSING_EVENT, ConnectionClosing } from './close-reasons.js';
import type { ErrorDescription } from './errors.js';
import type { EventName } from './event-names.js';
import type { EventPayload } from './payloads.js';
import type { SubscribeAck, UnsubscribeAck } from './subscription.js';

/** The namespaces that serve the contract: its own, and `/`, where clients that ignore a URL's path land. */
export const NAMESPACES = ['/api/events', '/'] as const;

/** Sent to a client whose `subscribe` or `unsubscribe` failed and asked for no acknowledgement. */
export const SUBSCRIPTION_ERROR_EVENT = 'subscription.error';

/** Sent to a client that cannot get everything since the position that it asked for, or had before it reconnected. */
export const SUBSCRIPTION_RESET_EVENT = 'subscription.reset';

/**
 * The range that is lost to a client: events after one id and before the other one. The events continue with `before`.
 */
export interface SubscriptionReset {
  readonly lost: { readonly after: string; readonly before: string };
}

/**
 * What the server emits. Every event has exactly one argument: python-socketio raises TypeError in a listener
 * of one parameter when a second one arrives.
 */
export type ServerToClientEvents = {
  [N in EventName]: (payload: EventPayload<N>) => void;
} & {
  [SUBSCRIPTION_ERROR_EVENT]: (error: ErrorDescription) => void;
  [SUBSCRIPTION_RESET_EVENT]: (reset: SubscriptionReset) => void;
  [CONNECTION_CLOSING_EVENT]: (closing: ConnectionClosing) => void;
};

export interface ClientToServerEvents {
  subscribe: (request: unknown, acknowledge?: (ack: SubscribeAck) => void) => void;
  unsubscribe: (request: unknown, acknowledge?: (ack: UnsubscribeAck) => void) => void;
}
