import { randomBytes } from 'node:crypto';
import {
  createdSessionSchema,
  createSessionBodySchema,
  DEFAULT_PAGE_SESSIONS,
  sessionListSchema,
  sessionPageQuerySchema,
  sessionPageSchema,
  sessionRemovalSchema,
  sessionSchema,
  WafleetError,
} from '@wafleet/contract';
import type { SessionDirectory, SessionPages } from '@wafleet/store';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { mayUseSession } from '../auth/identity.js';
import { identityOf } from '../auth/request-auth.js';
import type { SessionRemoval } from '../sessions/session-removal.js';
import type { SessionStarter } from '../sessions/session-starter.js';
import { errorResponses } from './api-docs.js';
import { costOfList } from './list-query.js';
import { sessionParamsSchema, sessionRefOf } from './session-params.js';
import { sessionView } from './session-view.js';

interface SessionRoutesOptions {
  readonly sessions: SessionDirectory;
  readonly pages: SessionPages;
  readonly starter: SessionStarter;
  readonly removal: SessionRemoval;
}

/** The tenant's sessions: make, list, look at, restart, remove. */
export const sessionRoutes: FastifyPluginAsyncZod<SessionRoutesOptions> = async (
  app,
  { sessions, pages, starter, removal },
) => {
  app.post(
    '/api/sessions',
    {
      config: { scope: 'sessions:write', cost: 20 },
      schema: {
        summary: 'Make a session',
        description:
          'A worker opens it within seconds and shows a QR code to link a phone with. ' +
          'A key with a list of sessions makes those in its list, by their ids.',
        tags: ['sessions'],
        body: createSessionBodySchema.nullish(),
        response: { 201: createdSessionSchema, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { id = generateSessionId(), name } = request.body ?? {};
      const identity = identityOf(request);
      if (!mayUseSession(identity, id)) {
        throw new WafleetError('FORBIDDEN', 'This API key may make the sessions in its list only.');
      }
      const ref = { tenantId: identity.tenantId, sessionId: id };
      const { sessionId, status } = await starter.create(ref, name === undefined ? {} : { name });
      return reply.code(201).header('location', `/api/sessions/${sessionId}`).send({ id: sessionId, status });
    },
  );

  app.get(
    '/api/sessions',
    {
      config: { scope: 'sessions:read', cost: costOfList },
      schema: {
        summary: 'List the sessions',
        description:
          'Oldest first, page by page. With `limit` or `cursor` the answer is an object with `nextCursor`, which the ' +
          'next page is asked for with; the last page has none. Without both it is the array of the first page. The ' +
          'header `Link` leads to the next page in either case.',
        tags: ['sessions'],
        querystring: sessionPageQuerySchema,
        response: { 200: z.union([sessionListSchema, sessionPageSchema]), ...errorResponses },
      },
    },
    async (request, reply) => {
      const { tenantId, sessions: only } = identityOf(request);
      const { limit = DEFAULT_PAGE_SESSIONS, cursor } = request.query;
      const page = await pages.page(tenantId, { limit, cursor, only });
      const { nextCursor } = page;
      if (nextCursor !== undefined) {
        reply.header('link', `</api/sessions?limit=${limit}&cursor=${nextCursor}>; rel="next"`);
      }
      const views = page.sessions.map(sessionView);
      if (request.query.limit === undefined && cursor === undefined) return views;
      return { sessions: views, ...(nextCursor === undefined ? {} : { nextCursor }) };
    },
  );

  app.get(
    '/api/sessions/:id',
    {
      config: { scope: 'sessions:read', cost: 1 },
      schema: {
        summary: 'Look at a session',
        tags: ['sessions'],
        params: sessionParamsSchema,
        response: { 200: sessionSchema, ...errorResponses },
      },
    },
    async (request) => sessionView(await sessions.require(sessionRefOf(request))),
  );

  app.post(
    '/api/sessions/:id/restart',
    {
      config: { scope: 'sessions:write', cost: 10 },
      schema: {
        summary: 'Open a session again',
        description:
          'For a session that is `closed`, `logged_out` or `failed`; another one is left as it is. ' +
          'Where its keys are gone it shows a QR code again.',
        tags: ['sessions'],
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
      config: { scope: 'sessions:write', cost: 10 },
      schema: {
        summary: 'Remove a session',
        description:
          'Unlinks it from the phone and wipes all that is stored of it: 204. A linked session that is not open is ' +
          'connected once to be unlinked; while that goes on the answer is 202. 200 says that it is removed and the ' +
          'phone may go on listing a linked device. With `force=true` it is removed at once, without unlinking.',
        tags: ['sessions'],
        params: sessionParamsSchema,
        querystring: z.strictObject({ force: z.enum(['true', 'false']).optional() }),
        response: { 200: sessionRemovalSchema, 202: sessionRemovalSchema, 204: z.null(), ...errorResponses },
      },
    },
    async (request, reply) => {
      const ref = sessionRefOf(request);
      const outcome = await removal.remove(ref, { force: request.query.force === 'true' });
      if (outcome === 'removed') return reply.code(204).send(null);
      return reply.code(outcome === 'removing' ? 202 : 200).send({ id: ref.sessionId, removal: outcome });
    },
  );
};

function generateSessionId(): string {
  return `ses_${randomBytes(8).toString('hex')}`;
}
