import { z } from 'zod';
import { CLOSE_REASONS, CONNECTION_CLOSING_EVENT } from '../close-reasons.js';
import { errorDescriptionSchema } from '../errors.js';
import { EVENT_NAMES } from '../event-names.js';
import { SUBSCRIPTION_ERROR_EVENT, SUBSCRIPTION_RESET_EVENT } from '../socket-events.js';
import { subscribeSchema, unsubscribeSchema } from '../subscription.js';
import {
  type JsonSchema,
  jsonSchemaOf,
  payloadJsonSchema,
  SUMMARIES,
  sharedObjects,
} from './json-schemas.js';

const CHANNEL = '#/channels/events';

/** What a client sends, by the events of Socket.IO. */
const REQUESTS = { subscribe: subscribeSchema, unsubscribe: unsubscribeSchema };

/** What the server reports to a client about its subscription and its connection. */
const NOTICES = {
  [SUBSCRIPTION_ERROR_EVENT]: errorDescriptionSchema,
  [SUBSCRIPTION_RESET_EVENT]: z.object({
    lost: z
      .object({ after: z.string(), before: z.string() })
      .describe('the events after the one eventId and before the other are in the log no more'),
  }),
  [CONNECTION_CLOSING_EVENT]: z.object({ code: z.enum(Object.keys(CLOSE_REASONS)), message: z.string() }),
};

function messageRef(name: string) {
  return { $ref: `${CHANNEL}/messages/${name}` };
}

/** The same schema with its objects in `components`, where all messages share them. */
function inComponents(schema: JsonSchema): unknown {
  const { $schema: _, $id: __, $defs: ___, ...rest } = schema;
  return JSON.parse(JSON.stringify(rest).replaceAll('"#/$defs/', '"#/components/schemas/'));
}

/** The AsyncAPI 3.0 document of what a Socket.IO client sends and receives. */
export function asyncApi(): unknown {
  const payloads = EVENT_NAMES.map(payloadJsonSchema);
  const objects = [...sharedObjects(payloads)].map(([id, schema]) => [id, inComponents(schema)]);
  const heard = EVENT_NAMES.map((name, index) => [
    name,
    { name, title: name, summary: SUMMARIES[name], payload: inComponents(payloads[index] ?? {}) },
  ]);
  const others = Object.entries({ ...NOTICES, ...REQUESTS }).map(([name, schema]) => [
    name,
    { name, title: name, payload: inComponents(jsonSchemaOf(schema)) },
  ]);
  const names = [...heard, ...others].map(([name]) => String(name));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Wafleet events',
      version: '1.0.0',
      description:
        'Socket.IO events of WhatsApp sessions. Each event has exactly one argument, the payload below. docs/events.md says how to connect, subscribe and go on after a loss.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      local: {
        host: 'localhost:3000',
        protocol: 'socket.io',
        security: [{ $ref: '#/components/securitySchemes/apiKey' }],
      },
    },
    channels: {
      events: {
        address: '/api/events',
        title: 'The namespace `/api/events`',
        messages: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
      },
    },
    operations: {
      receiveEvents: {
        action: 'receive',
        channel: { $ref: CHANNEL },
        messages: [...EVENT_NAMES, ...Object.keys(NOTICES)].map(messageRef),
      },
      changeSubscription: {
        action: 'send',
        channel: { $ref: CHANNEL },
        messages: Object.keys(REQUESTS).map(messageRef),
      },
    },
    components: {
      messages: Object.fromEntries([...heard, ...others]),
      schemas: Object.fromEntries(objects),
      securitySchemes: {
        apiKey: {
          type: 'httpApiKey',
          in: 'header',
          name: 'X-Api-Key',
          description: 'Or `auth.token` of the Socket.IO handshake.',
        },
      },
    },
  };
}
