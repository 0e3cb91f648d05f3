import type { ErrorDescription } from './errors.js';
import type { EventName } from './event-names.js';
import type { EventPayload } from './payloads.js';
import type { SubscriptionAck } from './subscription.js';

/** The namespaces that serve the contract: its own, and `/`, where clients that ignore a URL's path land. */
export const NAMESPACES = ['/api/events', '/'] as const;

/** Told to a client whose `subscribe` or `unsubscribe` failed and asked for no acknowledgement. */
export const SUBSCRIPTION_ERROR_EVENT = 'subscription.error';

/**
 * What the server emits. Every event has exactly one argument: python-socketio raises TypeError in a listener
 * of one parameter when a second one arrives.
 */
export type ServerToClientEvents = {
  [N in EventName]: (payload: EventPayload<N>) => void;
} & { [SUBSCRIPTION_ERROR_EVENT]: (error: ErrorDescription) => void };

export interface ClientToServerEvents {
  subscribe: (request: unknown, acknowledge?: (ack: SubscriptionAck) => void) => void;
  unsubscribe: (request: unknown, acknowledge?: (ack: SubscriptionAck) => void) => void;
}
