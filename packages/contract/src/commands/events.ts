import { z } from 'zod';
import { eventStreamHeadersSchema, eventStreamQuerySchema } from '../event-stream.js';
import type { RestCall } from './definition.js';

export const eventCalls = {
  'stream-events': {
    route: 'GET /api/events',
    access: 'events:read',
    cost: 5,
    tag: 'events',
    summary: 'Stream events as they happen, as Server-Sent Events',
    description:
      'For clients that cannot use Socket.IO. Each event has its eventId as `id`, its name as `event` and its payload as `data`.',
    query: eventStreamQuerySchema,
    headers: eventStreamHeadersSchema,
    answers: {
      200: {
        description: 'A stream that does not end by itself',
        content: { 'text/event-stream': { schema: z.string().describe('Blocks of lines, one an event') } },
      },
    },
    errors: [
      'UNKNOWN_EVENT',
      'TOO_MANY_ITEMS',
      'SESSION_NOT_FOUND',
      'TOO_MANY_CONNECTIONS',
      'TOO_MANY_HANDSHAKES',
      'TOO_MANY_REPLAYS',
    ],
    hasHead: false,
  },
} as const satisfies Record<string, RestCall>;
