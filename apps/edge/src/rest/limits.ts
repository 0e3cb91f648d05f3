import {
  type TenantLimitsView,
  tenantIdSchema,
  tenantLimitChangesSchema,
  tenantLimitsSchema,
} from '@wafleet/contract';
import type { TenantDirectory, TenantLimitTable } from '@wafleet/store';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { errorResponses, TAKES_ADMIN_TOKEN } from './api-docs.js';

interface LimitRoutesOptions {
  readonly tenants: TenantDirectory;
  readonly limits: TenantLimitTable;
}

const PATH = '/api/tenants/:id/limits';

/** What tenants may have and do, for the administrator. */
export const limitRoutes: FastifyPluginAsyncZod<LimitRoutesOptions> = async (app, { tenants, limits }) => {
  const view = async (tenantId: string): Promise<TenantLimitsView> => {
    const own = await limits.readOwn(tenantId);
    return { limits: { ...limits.defaults, ...own }, own };
  };

  app.get(
    PATH,
    {
      schema: {
        summary: 'The limits of a tenant',
        tags: ['administration'],
        security: TAKES_ADMIN_TOKEN,
        params: z.object({ id: tenantIdSchema }),
        response: { 200: tenantLimitsSchema, ...errorResponses },
      },
    },
    async (request) => {
      const { id } = await tenants.require(request.params.id);
      return view(id);
    },
  );

  app.put(
    PATH,
    {
      schema: {
        summary: 'Change limits of a tenant',
        description:
          'Changes those that are named: null goes back to the default. They have effect on all edges and workers ' +
          'within seconds, without a restart. What a tenant has beyond a new limit stays, and no more is added.',
        tags: ['administration'],
        security: TAKES_ADMIN_TOKEN,
        params: z.object({ id: tenantIdSchema }),
        body: tenantLimitChangesSchema,
        response: { 200: tenantLimitsSchema, ...errorResponses },
      },
    },
    async (request) => {
      const { id } = await tenants.require(request.params.id);
      await limits.change(id, request.body);
      return view(id);
    },
  );
};
