import { type ApiKeyView, type keyCalls, WafleetError } from '@wafleet/contract';
import type { ApiKeyRecord, ApiKeys, TenantDirectory } from '@wafleet/store';
import { hasExpired } from '../access/identity.js';
import { noteAuditedTenant } from '../audit/audited-calls.js';
import type { KeyRevocation } from '../sockets/key-revocation.js';
import type { HandlersOf } from './calls.js';
import { nameFilter } from './name-filter.js';

interface KeyCallResources {
  readonly tenants: TenantDirectory;
  readonly apiKeys: ApiKeys;
  readonly revocation: KeyRevocation;
}

/** API keys, for the administrator. */
export function keyHandlers({ tenants, apiKeys, revocation }: KeyCallResources): HandlersOf<typeof keyCalls> {
  return {
    'create-key': async ({ body }) => {
      const { tenantId, name, scopes, sessions, expiresAt } = body;
      await tenants.require(tenantId);
      const created = await apiKeys.create(tenantId, {
        name,
        scopes: [...new Set(scopes)],
        sessions: sessions && [...new Set(sessions)],
        expiresAt: expiresAt === undefined ? undefined : Date.parse(expiresAt),
      });
      return { ...keyView(created), key: created.key };
    },
    'list-keys': async ({ params, query }) => {
      const { id } = await tenants.require(params.id);
      const { name, ...page } = query;
      const { items, nextCursor } = await apiKeys.page(id, { ...page, matches: nameFilter(name) });
      return { items: items.map(keyView), ...(nextCursor === undefined ? {} : { nextCursor }) };
    },
    'get-key': async ({ params }) => keyView(await apiKeys.require(params.id)),
    'change-key': async ({ params, body, request }) => {
      const { id, tenantId } = await apiKeys.require(params.id);
      noteAuditedTenant(request, tenantId);
      return keyView(await revocation.change(id, { name: body.name, expiresAt: timeOf(body.expiresAt) }));
    },
    'rotate-key': async ({ params, body, request }) => {
      const earlier = await apiKeys.require(params.id);
      noteAuditedTenant(request, earlier.tenantId);
      const { tenantId, name, scopes, sessions } = earlier;
      const end = timeOf(body.expiresAt);
      const expiresAt = end === undefined ? earlier.expiresAt : (end ?? undefined);
      if (hasExpired({ expiresAt })) {
        throw new WafleetError('VALIDATION_FAILED', 'The key has expired: name the end of the new one.', {
          issues: [{ path: 'body.expiresAt', message: 'is required for a key that has expired' }],
        });
      }
      await tenants.require(tenantId);
      const created = await apiKeys.create(tenantId, { name, scopes, sessions, expiresAt });
      // A key that ends before the overlap does keeps its end.
      const overlapEnd = Date.now() + body.overlapSeconds * 1_000;
      const endsAt = Math.min(overlapEnd, earlier.expiresAt ?? Number.POSITIVE_INFINITY);
      await revocation.change(earlier.id, { expiresAt: endsAt });
      return {
        ...keyView(created),
        key: created.key,
        replaces: { id: earlier.id, expiresAt: new Date(endsAt).toISOString() },
      };
    },
    'revoke-key': async ({ params, request }) => {
      // A key whose record cannot be read is revoked as well.
      const record = await apiKeys.find(params.id);
      if (record !== undefined) noteAuditedTenant(request, record.tenantId);
      await revocation.revoke(params.id);
      return null;
    },
  };
}

/** ms since 1970; null and undefined stay. */
function timeOf(instant: string | null | undefined): number | null | undefined {
  return instant == null ? instant : Date.parse(instant);
}

/** A key as REST shows it. */
function keyView(record: ApiKeyRecord): ApiKeyView {
  const { id, tenantId, name, scopes, sessions, createdAt, expiresAt, lastUsedAt } = record;
  return {
    id,
    tenantId,
    ...(name === undefined ? {} : { name }),
    scopes: [...scopes],
    ...(sessions === undefined ? {} : { sessions: [...sessions] }),
    createdAt: new Date(createdAt).toISOString(),
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt: new Date(lastUsedAt).toISOString() }),
  };
}
