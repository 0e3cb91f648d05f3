import { z } from 'zod';
import { type ErrorDescription, WafleetError } from './errors.js';
import { type EventPosition, isSnapshotId, parseEventId } from './event-id.js';
import { type EventName, expandEventPattern, isEventName } from './event-names.js';
import { sessionIdSchema } from './identifiers.js';

/**
 * Bounds on one `subscribe` or `unsubscribe` request, and on all that one socket is subscribed to: pairs of an event
 * and a session, where all sessions count as one.
 */
export const SUBSCRIPTION_LIMITS = { events: 64, sessions: 1000, perSocket: 20_000 } as const;

/** What a `subscribe` or `unsubscribe` asks for, with wildcards expanded. `sessions` undefined means all. */
export interface Subscription {
  readonly events: readonly EventName[];
  readonly sessions: readonly string[] | undefined;
}

/** What a `subscribe` asks for. */
export interface SubscribeRequest extends Subscription {
  /** Those of the events that are asked for by their own name, not only by a wildcard. */
  readonly named: readonly EventName[];
  /** The position after which events are wanted; undefined for those from now on. */
  readonly since: EventPosition | undefined;
  /** Whether `since` is a snapshot's eventId. Some of the snapshots that came with it may be missing. */
  readonly isSinceSnapshot: boolean;
}

/** What a request that was served subscribed to, or unsubscribed from; `sessions` is `'*'` for all sessions. */
interface Served {
  readonly ok: true;
  readonly events: readonly EventName[];
  readonly sessions: readonly string[] | '*';
}

interface Refused {
  readonly ok: false;
  readonly error: ErrorDescription;
}

/** The acknowledgement of `unsubscribe`. */
export type UnsubscribeAck = Served | Refused;

/** The acknowledgement of `subscribe`. */
export type SubscribeAck = (Served & Continuation) | Refused;

/** Where the events of a new subscription begin. */
export interface Continuation {
  /** All events after this position are delivered, in order. It is usable as `since`. */
  readonly position: string;
  /** Whether `position` is what was given as `since`; absent without `since`. */
  readonly recovered?: boolean;
}

const objectSchema = z.strictObject({
  events: z.array(z.string()),
  sessions: z.array(sessionIdSchema).optional(),
});
const sinceSchema = z.string().refine((text) => parseEventId(text) !== undefined, 'is not an eventId');
/** The argument of `unsubscribe`. */
export const unsubscribeSchema = z.union([z.array(z.string()), objectSchema]);
/** The argument of `subscribe`. */
export const subscribeSchema = z.union([
  z.array(z.string()),
  objectSchema.extend({ since: sinceSchema.optional() }),
]);

function requireAtMost(limit: number, list: readonly unknown[], field: string): void {
  if (list.length > limit) {
    throw new WafleetError('TOO_MANY_ITEMS', `${field} lists ${list.length} items; ${limit} are allowed.`, {
      field,
      limit,
    });
  }
}

function listOf(input: unknown, field: string): readonly unknown[] {
  if (typeof input !== 'object' || input === null || !(field in input)) return [];
  const value: unknown = Reflect.get(input, field);
  return Array.isArray(value) ? value : [];
}

/**
 * Reads the argument of `subscribe`: an array of event names, or `{events, sessions?, since?}`. Oversized lists are
 * refused before their items are looked at.
 * @throws {WafleetError} VALIDATION_FAILED, TOO_MANY_ITEMS or UNKNOWN_EVENT.
 */
export function parseSubscribeRequest(input: unknown): SubscribeRequest {
  requireBounds(input);
  const parsed = subscribeSchema.safeParse(input);
  if (!parsed.success) {
    throw new WafleetError(
      'VALIDATION_FAILED',
      'Expected an array of event names, or an object {events: string[], sessions?: string[], since?: eventId}.',
    );
  }
  const { data } = parsed;
  const { events, sessions, since } = Array.isArray(data) ? { events: data } : data;
  return {
    ...expand(events, sessions),
    named: [...new Set(events.filter(isEventName))],
    since: since === undefined ? undefined : parseEventId(since),
    isSinceSnapshot: since !== undefined && isSnapshotId(since),
  };
}

/**
 * Reads the argument of `unsubscribe`: an array of event names, or `{events, sessions?}`.
 * @throws {WafleetError} as `parseSubscribeRequest`.
 */
export function parseSubscription(input: unknown): Subscription {
  requireBounds(input);
  const parsed = unsubscribeSchema.safeParse(input);
  if (!parsed.success) {
    throw new WafleetError(
      'VALIDATION_FAILED',
      'Expected an array of event names, or an object {events: string[], sessions?: string[]}.',
    );
  }
  const { data } = parsed;
  return Array.isArray(data) ? expand(data, undefined) : expand(data.events, data.sessions);
}

function requireBounds(input: unknown): void {
  requireAtMost(SUBSCRIPTION_LIMITS.events, Array.isArray(input) ? input : listOf(input, 'events'), 'events');
  requireAtMost(SUBSCRIPTION_LIMITS.sessions, listOf(input, 'sessions'), 'sessions');
}

function expand(patterns: readonly string[], sessions: readonly string[] | undefined): Subscription {
  const unknown = patterns.filter((pattern) => expandEventPattern(pattern).length === 0);
  if (unknown.length > 0 || patterns.length === 0) {
    const message =
      unknown.length > 0
        ? `Unknown event ${unknown.map((name) => JSON.stringify(name.slice(0, 100))).join(', ')}.`
        : 'No event is named.';
    throw new WafleetError('UNKNOWN_EVENT', message, { events: unknown.map((name) => name.slice(0, 100)) });
  }
  return {
    events: [...new Set(patterns.flatMap((pattern) => expandEventPattern(pattern)))],
    sessions: sessions === undefined ? undefined : [...new Set(sessions)],
  };
}
