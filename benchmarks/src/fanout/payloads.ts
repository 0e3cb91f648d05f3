import { readFileSync } from 'node:fs';
import { EVENT_NAMES } from '@wafleet/contract';
import { z } from 'zod';

const recordedSchema = z.array(
  z.object({ event: z.enum(EVENT_NAMES), payload: z.record(z.string(), z.unknown()) }),
);

const envelope = { sessionId: 'shop-1', timestamp: '2026-11-22T05:54:01.120Z' };

/** The recorded payloads as a worker sends them: without `eventId`. */
export const PAYLOADS = recordedSchema
  .parse(JSON.parse(readFileSync(new URL('../../payloads/recorded.json', import.meta.url), 'utf8')))
  .map(({ event, payload }) => ({ event, payload: { ...envelope, ...payload } }));

/** The names of the recorded payloads' events. Clients subscribe to them. */
export const RECORDED_EVENTS = [...new Set(PAYLOADS.map(({ event }) => event))];

/** The event id if there is no log that assigns one, so that all contenders send the same number of bytes. */
export const EVENT_ID = '1795326841000-100000';
