import type { AuditEntry, auditCalls } from '@wafleet/contract';
import type { AuditLog, AuditLogOf, TenantDirectory } from '@wafleet/store';
import type { HandlersOf } from './calls.js';

interface AuditCallResources {
  readonly audit: AuditLog;
  readonly tenants: TenantDirectory;
}

interface Query {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** What fields of an entry must be. */
type Filters = { readonly [Name in keyof AuditEntry]?: AuditEntry[Name] | undefined };

/** The audit log, for the administrator. */
export function auditHandlers({ audit, tenants }: AuditCallResources): HandlersOf<typeof auditCalls> {
  const list = async (of: AuditLogOf, query: Query, filters: Filters) => {
    const { limit, cursor, since, until } = query;
    const wanted = Object.entries(filters).filter(([, value]) => value !== undefined);
    const { items, nextCursor } = await audit.page(of, {
      ...{ limit, cursor },
      since: since === undefined ? undefined : Date.parse(since),
      until: until === undefined ? undefined : Date.parse(until),
      matches: (entry) => wanted.every(([name, value]) => entry[name as keyof AuditEntry] === value),
    });
    return { items: [...items], ...(nextCursor === undefined ? {} : { nextCursor }) };
  };
  return {
    'list-audit': async ({ query }) => {
      const { action, outcome, tenantId, target } = query;
      return list('administrator', query, { action, outcome, tenantId, target });
    },
    'list-tenant-audit': async ({ params, query }) => {
      const { id: tenantId } = await tenants.require(params.id);
      const { action, outcome, actor, target } = query;
      return list({ tenantId }, query, { action, outcome, actor, target });
    },
  };
}
