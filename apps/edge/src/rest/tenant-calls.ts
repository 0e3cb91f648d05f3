import type { TenantDetails, TenantLimitsView, tenantCalls } from '@wafleet/contract';
import type { TenantDirectory, TenantLimitTable, TenantRecord, TenantRemovals } from '@wafleet/store';
import type { TenantRemoval } from '../tenants/tenant-removal.js';
import type { HandlersOf } from './calls.js';
import { nameFilter } from './name-filter.js';

interface TenantCallResources {
  readonly tenants: TenantDirectory;
  readonly limits: TenantLimitTable;
  readonly tenantRemovals: TenantRemovals;
  readonly tenantRemoval: TenantRemoval;
}

/** Tenants and what they may have and do, for the administrator. */
export function tenantHandlers({
  tenants,
  limits,
  tenantRemovals,
  tenantRemoval,
}: TenantCallResources): HandlersOf<typeof tenantCalls> {
  const view = async (tenantId: string): Promise<TenantLimitsView> => {
    const own = await limits.readOwn(tenantId);
    return { limits: { ...limits.defaults, ...own }, own };
  };
  const removalOf = async (tenantId: string) => {
    const state = await tenantRemovals.get(tenantId);
    return state && { since: new Date(state.since).toISOString(), sessionsLeft: state.sessionsLeft };
  };
  const details = async (tenantId: string): Promise<TenantDetails> => {
    const [tenant, removal] = await Promise.all([tenants.require(tenantId), removalOf(tenantId)]);
    return { ...tenantView(tenant), ...(removal === undefined ? {} : { removal }) };
  };
  return {
    'create-tenant': async ({ body, ids }) => {
      const { id, name } = await tenants.create(body.name, ids.bytes('tenant'));
      return { id, name };
    },
    'list-tenants': async ({ query }) => {
      const { name, ...page } = query;
      const { items, nextCursor } = await tenants.page({ ...page, matches: nameFilter(name) });
      return { items: items.map(tenantView), ...(nextCursor === undefined ? {} : { nextCursor }) };
    },
    'get-tenant': async ({ params }) => details(params.id),
    'change-tenant': async ({ params, body }) => {
      if (body.name !== undefined) await tenants.rename(params.id, body.name);
      return details(params.id);
    },
    'remove-tenant': async ({ params, query, request, reply }) => {
      const { id } = params;
      const isGone = await tenantRemoval.remove(id, { force: query.force === 'true', requestId: request.id });
      const removal = isGone ? undefined : await removalOf(id);
      reply.code(removal === undefined ? 204 : 202);
      return removal === undefined ? null : { id, ...removal };
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

function tenantView({ id, name, createdAt }: TenantRecord): TenantDetails {
  return { id, name, ...(createdAt === undefined ? {} : { createdAt: new Date(createdAt).toISOString() }) };
}
