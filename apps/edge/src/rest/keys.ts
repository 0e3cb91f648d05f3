import {
  type ApiKeyView,
  apiKeyListSchema,
  createdKeySchema,
  createKeyBodySchema,
  keyIdSchema,
  tenantIdSchema,
} from '@wafleet/contract';
import type { ApiKeyRecord, ApiKeys, TenantDirectory } from '@wafleet/store';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { KeyRevocation } from '../sockets/key-revocation.js';
import { errorResponses, TAKES_ADMIN_TOKEN } from './api-docs.js';

interface KeyRoutesOptions {
  readonly tenants: TenantDirectory;
  readonly apiKeys: ApiKeys;
  readonly revocation: KeyRevocation;
}

/** API keys, for the administrator. */
export const keyRoutes: FastifyPluginAsyncZod<KeyRoutesOptions> = async (
  app,
  { tenants, apiKeys, revocation },
) => {
  app.post(
    '/api/keys',
    {
      schema: {
        summary: 'Make an API key for a tenant',
        description:
          'The key itself is shown in this answer only; it is stored as a hash. ' +
          'Without `scopes`, `sessions` and `expiresAt` it may do everything in its tenant, and never expires.',
        tags: ['administration'],
        security: TAKES_ADMIN_TOKEN,
        body: createKeyBodySchema,
        response: { 201: createdKeySchema, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { tenantId, name, scopes, sessions, expiresAt } = request.body;
      await tenants.require(tenantId);
      const made = await apiKeys.create(tenantId, {
        name,
        scopes: [...new Set(scopes)],
        sessions: sessions && [...new Set(sessions)],
        expiresAt: expiresAt === undefined ? undefined : Date.parse(expiresAt),
      });
      const answer = { ...keyView(made), key: made.key };
      return reply.code(201).header('cache-control', 'no-store').send(answer);
    },
  );

  app.get(
    '/api/tenants/:id/keys',
    {
      schema: {
        summary: 'List the API keys of a tenant',
        description: 'The keys themselves are not shown. One that has expired is listed for seven more days.',
        tags: ['administration'],
        security: TAKES_ADMIN_TOKEN,
        params: z.object({ id: tenantIdSchema }),
        response: { 200: apiKeyListSchema, ...errorResponses },
      },
    },
    async (request) => {
      const { id } = await tenants.require(request.params.id);
      return (await apiKeys.list(id)).map(keyView);
    },
  );

  app.delete(
    '/api/keys/:id',
    {
      schema: {
        summary: 'Revoke an API key',
        description: 'Its sockets are disconnected, on every edge.',
        tags: ['administration'],
        security: TAKES_ADMIN_TOKEN,
        params: z.object({ id: keyIdSchema }),
        response: { 204: z.null(), ...errorResponses },
      },
    },
    async (request, reply) => {
      await revocation.revoke(request.params.id);
      return reply.code(204).send(null);
    },
  );
};

/** A key as REST shows it. */
function keyView(record: ApiKeyRecord): ApiKeyView {
  const { id, tenantId, name, scopes, sessions, createdAt, expiresAt } = record;
  return {
    id,
    tenantId,
    ...(name === undefined ? {} : { name }),
    scopes: [...scopes],
    ...(sessions === undefined ? {} : { sessions: [...sessions] }),
    createdAt: new Date(createdAt).toISOString(),
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
  };
}
