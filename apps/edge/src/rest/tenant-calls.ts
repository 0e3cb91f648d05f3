import type { TenantLimitsView, tenantCalls } from '@wafleet/contract';
import type { TenantDirectory, TenantLimitTable } from '@wafleet/store';
import type { HandlersOf } from './calls.js';

interface TenantCallResources {
  readonly tenants: TenantDirectory;
  readonly limits: TenantLimitTable;
}

/** Tenants and what they may have and do, for the administrator. */
export function tenantHandlers({ tenants, limits }: TenantCallResources): HandlersOf<typeof tenantCalls> {
  const view = async (tenantId: string): Promise<TenantLimitsView> => {
    const own = await limits.readOwn(tenantId);
    return { limits: { ...limits.defaults, ...own }, own };
  };
  return {
    'create-tenant': async ({ body, ids }) => {
      const { id, name } = await tenants.create(body.name, ids.bytes('tenant'));
      return { id, name };
    },
    'get-tenant-limits': async ({ params }) => {
      const { id } = await tenants.require(params.id);
      return view(id);
    },
    'change-tenant-limits': async ({ params, body }) => {
      const { id } = await tenants.require(params.id);
      await limits.change(id, body);
      return view(id);
    },
  };
}
