import { usageSchema } from '@wafleet/contract';
import type { TenantUsage } from '@wafleet/store';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { identityOf } from '../auth/request-auth.js';
import { errorResponses } from './api-docs.js';

interface UsageRoutesOptions {
  readonly usage: TenantUsage;
}

/** What a tenant uses of its limits. */
export const usageRoutes: FastifyPluginAsyncZod<UsageRoutesOptions> = async (app, { usage }) => {
  app.get(
    '/api/usage',
    {
      config: { scope: 'sessions:read', cost: 2 },
      schema: {
        summary: 'What the tenant uses, and what it may use',
        description: 'For the whole cluster. Of the rates of API keys it is that of the key that asks.',
        tags: ['usage'],
        response: { 200: usageSchema, ...errorResponses },
      },
    },
    async (request, reply) => {
      const { tenantId, keyId } = identityOf(request);
      reply.header('cache-control', 'no-store');
      return usage.read(tenantId, keyId);
    },
  );
};
