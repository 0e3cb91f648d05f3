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

/** The names of the recorded payloads' events: what clients subscribe to. */
export const RECORDED_EVENTS = [...new Set(PAYLOADS.map(({ event }) => event))];

/** Stands where no log gives an id, so that all send as many bytes. */
export const EVENT_ID = '1795326841000-100000';
