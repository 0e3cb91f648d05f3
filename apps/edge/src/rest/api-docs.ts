import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { type KeyScope, PROBLEM_CONTENT_TYPE, problemSchema, WafleetError } from '@wafleet/contract';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';

const problemResponse = {
  description: 'A problem (RFC 9457)',
  content: { [PROBLEM_CONTENT_TYPE]: { schema: problemSchema } },
};

/** The error answers that any call may give, for a route's `response`. */
export const errorResponses = { '4xx': problemResponse, '5xx': problemResponse };

/** Which credentials a route takes, for its schema's `security`. */
export const TAKES_ADMIN_TOKEN = [{ adminToken: [] }];
export const TAKES_PASSKEY_TOKEN = [{ passkeyToken: [] }];
export const takesApiKey = (scope: KeyScope) => [{ apiKey: [scope] }, { bearerKey: [scope] }];

/** The path of the page's files, all in one folder. Other names would make the file system fail in many ways. */
const FILES = '/docs/static/';
const FILE = /^[\w.-]{0,100}$/;

/** Serves the OpenAPI document at /docs/json and a page to read and try it at /docs. */
export async function serveApiDocs(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Wafleet',
        description:
          'WhatsApp sessions for many tenants. Events are streamed over Socket.IO on the namespace /api/events, or as Server-Sent Events by GET /api/events.',
        version: '1',
      },
      components: {
        securitySchemes: {
          adminToken: { type: 'http', scheme: 'bearer', description: 'The administrator’s token' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
          passkeyToken: { type: 'http', scheme: 'bearer', description: 'The token of a helper link' },
          bearerKey: { type: 'http', scheme: 'bearer', description: 'An API key' },
        },
      },
    },
    transform: jsonSchemaTransform,
  });
  await app.register(async (docs) => {
    docs.addHook('onRequest', async ({ url }) => {
      const [path = ''] = url.split('?', 1);
      if (!path.startsWith(FILES) || FILE.test(path.slice(FILES.length))) return;
      throw new WafleetError('ROUTE_NOT_FOUND', 'The documentation has no such file.');
    });
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: true,
      // An edge speaks plain HTTP: a page whose requests were upgraded to HTTPS would load nothing.
      transformStaticCSP: (policy) => policy.replace(/\s*upgrade-insecure-requests;?/, ''),
    });
  });
}
