import { randomBytes } from 'node:crypto';
import {
  createdSessionSchema,
  createSessionBodySchema,
  sessionListSchema,
  sessionSchema,
} from '@wafleet/contract';
import type { SessionDirectory } from '@wafleet/store';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { tenantOf } from '../auth/request-auth.js';
import type { SessionRemoval } from '../sessions/session-removal.js';
import type { SessionStarter } from '../sessions/session-starter.js';
import { errorResponses, TAKES_API_KEY } from './api-docs.js';
import { sessionParamsSchema, sessionRefOf } from './session-params.js';
import { sessionView } from './session-view.js';

interface SessionRoutesOptions {
  readonly sessions: SessionDirectory;
  readonly starter: SessionStarter;
  readonly removal: SessionRemoval;
}

/** The tenant's sessions: make, list, look at, restart, remove. */
export const sessionRoutes: FastifyPluginAsyncZod<SessionRoutesOptions> = async (
  app,
  { sessions, starter, removal },
) => {
  app.post(
    '/api/sessions',
    {
      schema: {
        summary: 'Make a session',
        description: 'A worker opens it within seconds and shows a QR code to link a phone with.',
        tags: ['sessions'],
        security: TAKES_API_KEY,
        body: createSessionBodySchema.nullish(),
        response: { 201: createdSessionSchema, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { id = generateSessionId(), name } = request.body ?? {};
      const ref = { tenantId: tenantOf(request), sessionId: id };
      const { sessionId, status } = await starter.create(ref, name === undefined ? {} : { name });
      return reply.code(201).header('location', `/api/sessions/${sessionId}`).send({ id: sessionId, status });
    },
  );

  app.get(
    '/api/sessions',
    {
      schema: {
        summary: 'List the sessions',
        tags: ['sessions'],
        security: TAKES_API_KEY,
        response: { 200: sessionListSchema, ...errorResponses },
      },
    },
    async (request) => (await sessions.list(tenantOf(request))).map(sessionView),
  );

  app.get(
    '/api/sessions/:id',
    {
      schema: {
        summary: 'Look at a session',
        tags: ['sessions'],
        security: TAKES_API_KEY,
        params: sessionParamsSchema,
        response: { 200: sessionSchema, ...errorResponses },
      },
    },
    async (request) => sessionView(await sessions.require(sessionRefOf(request))),
  );

  app.post(
    '/api/sessions/:id/restart',
    {
      schema: {
        summary: 'Open a session again',
        description:
          'For a session that is `closed`, `logged_out` or `failed`; another one is left as it is. ' +
          'Where its keys are gone it shows a QR code again.',
        tags: ['sessions'],
        security: TAKES_API_KEY,
        params: sessionParamsSchema,
        response: { 202: createdSessionSchema, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { sessionId, status } = await starter.restart(sessionRefOf(request));
      return reply.code(202).send({ id: sessionId, status });
    },
  );

  app.delete(
    '/api/sessions/:id',
    {
      schema: {
        summary: 'Remove a session',
        description: 'Unlinks it from the phone and wipes all that is stored of it.',
        tags: ['sessions'],
        security: TAKES_API_KEY,
        params: sessionParamsSchema,
        response: { 204: z.null(), ...errorResponses },
      },
    },
    async (request, reply) => {
      await removal.remove(sessionRefOf(request));
      return reply.code(204).send(null);
    },
  );
};

function generateSessionId(): string {
  return `ses_${randomBytes(8).toString('hex')}`;
}
