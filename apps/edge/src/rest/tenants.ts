import { createTenantBodySchema, tenantSchema } from '@wafleet/contract';
import type { TenantDirectory } from '@wafleet/store';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { errorResponses, TAKES_ADMIN_TOKEN } from './api-docs.js';

interface TenantRoutesOptions {
  readonly tenants: TenantDirectory;
}

/** Tenants, for the administrator. */
export const tenantRoutes: FastifyPluginAsyncZod<TenantRoutesOptions> = async (app, { tenants }) => {
  app.post(
    '/api/tenants',
    {
      schema: {
        summary: 'Make a tenant',
        tags: ['administration'],
        security: TAKES_ADMIN_TOKEN,
        body: createTenantBodySchema,
        response: { 201: tenantSchema, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { id, name } = await tenants.create(request.body.name);
      return reply.code(201).send({ id, name });
    },
  );
};
