import { createdKeySchema, createKeyBodySchema, keyIdSchema } from '@wafleet/contract';
import type { ApiKeys, TenantDirectory } from '@wafleet/store';
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
        description: 'The key itself is shown in this answer only; it is stored as a hash.',
        tags: ['administration'],
        security: TAKES_ADMIN_TOKEN,
        body: createKeyBodySchema,
        response: { 201: createdKeySchema, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { tenantId, name } = request.body;
      await tenants.require(tenantId);
      const { id, key } = await apiKeys.create(tenantId, name === undefined ? {} : { name });
      return reply.code(201).header('cache-control', 'no-store').send({ id, key });
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
