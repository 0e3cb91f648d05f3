import { z } from 'zod';
import { type ErrorDescription, WafleetError } from './errors.js';
import { type EventName, expandEventPattern } from './event-names.js';
import { sessionIdSchema } from './identifiers.js';

/** Bounds on one `subscribe` or `unsubscribe` request. */
export const SUBSCRIPTION_LIMITS = { events: 64, sessions: 1000 } as const;

/** What a `subscribe` or `unsubscribe` asks for, with wildcards expanded. `sessions` undefined means all. */
export interface Subscription {
  readonly events: readonly EventName[];
  readonly sessions: readonly string[] | undefined;
}

/** The acknowledgement of `subscribe` and `unsubscribe`; `sessions` is `'*'` for all sessions. */
export type SubscriptionAck =
  | { readonly ok: true; readonly events: readonly EventName[]; readonly sessions: readonly string[] | '*' }
  | { readonly ok: false; readonly error: ErrorDescription };

const requestSchema = z.union([
  z.array(z.string()),
  z.strictObject({ events: z.array(z.string()), sessions: z.array(sessionIdSchema).optional() }),
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
 * Reads the argument of `subscribe` or `unsubscribe`: an array of event names, or `{events, sessions?}`.
 * Oversized lists are refused before their items are looked at.
 * @throws {WafleetError} VALIDATION_FAILED, TOO_MANY_ITEMS or UNKNOWN_EVENT.
 */
export function parseSubscription(input: unknown): Subscription {
  requireAtMost(SUBSCRIPTION_LIMITS.events, Array.isArray(input) ? input : listOf(input, 'events'), 'events');
  requireAtMost(SUBSCRIPTION_LIMITS.sessions, listOf(input, 'sessions'), 'sessions');

  const parsed = requestSchema.safeParse(input);
  if (!parsed.success) {
    throw new WafleetError(
      'VALIDATION_FAILED',
      'Expected an array of event names, or an object {events: string[], sessions?: string[]}.',
    );
  }
  const request = Array.isArray(parsed.data) ? { events: parsed.data, sessions: undefined } : parsed.data;
  const unknown = request.events.filter((pattern) => expandEventPattern(pattern).length === 0);
  if (unknown.length > 0 || request.events.length === 0) {
    const message =
      unknown.length > 0
        ? `Unknown event ${unknown.map((name) => JSON.stringify(name.slice(0, 100))).join(', ')}.`
        : 'No event is named.';
    throw new WafleetError('UNKNOWN_EVENT', message, { events: unknown.map((name) => name.slice(0, 100)) });
  }
  return {
    events: [...new Set(request.events.flatMap((pattern) => expandEventPattern(pattern)))],
    sessions: request.sessions === undefined ? undefined : [...new Set(request.sessions)],
  };
}
