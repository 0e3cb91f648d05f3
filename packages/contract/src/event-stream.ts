import { z } from 'zod';
import { parseEventId } from './event-id.js';
import { sessionIdSchema } from './identifiers.js';

/**
 * Sent on a stream of Server-Sent Events, with an id: all events up to this id have been sent. It is sent when a client
 * has received what it missed, and from time to time while the stream is silent. So a client resumes from its current
 * position even if none of the events that it is subscribed to has happened for a long time, or ever.
 */
export const SUBSCRIPTION_POSITION_EVENT = 'subscription.position';

/** The payload of `subscription.position`. */
export interface SubscriptionPosition {
  readonly position: string;
}

/** A list in a query: separated by commas, or the parameter several times. */
const listSchema = z
  .union([z.string(), z.array(z.string())], 'must be given: names, separated by commas')
  .transform((given) => [given].flat().flatMap((text) => text.split(',').map((item) => item.trim())));

const isEventId = (text: string) => parseEventId(text) !== undefined;
const NO_EVENT_ID = 'must be an eventId or a position';

/** The query of `GET /api/events`. What it asks for is bounded as a `subscribe` is. */
export const eventStreamQuerySchema = z.strictObject({
  events: listSchema.describe(
    'Names of events and wildcards, separated by commas: `messages.*,connection.update`',
  ),
  sessions: listSchema
    .pipe(z.array(sessionIdSchema))
    .optional()
    .describe('Ids of sessions, separated by commas; absent for all, sessions made later included'),
  since: z
    .string()
    .refine(isEventId, NO_EVENT_ID)
    .optional()
    .describe('The eventId after which events are wanted; absent for those from now on'),
});

/** The headers of `GET /api/events` that select the events. */
export const eventStreamHeadersSchema = z.looseObject({
  'last-event-id': z
    .string()
    .refine((text) => text === '' || isEventId(text), NO_EVENT_ID)
    .optional()
    .describe('As `since`, and wins over it: what an EventSource sends when it connects again'),
});
