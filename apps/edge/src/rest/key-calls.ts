import type { ApiKeyView, keyCalls } from '@wafleet/contract';
import type { ApiKeyRecord, ApiKeys, TenantDirectory } from '@wafleet/store';
import type { KeyRevocation } from '../sockets/key-revocation.js';
import type { HandlersOf } from './calls.js';

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
    'list-keys': async ({ params }) => {
      const { id } = await tenants.require(params.id);
      return (await apiKeys.list(id)).map(keyView);
    },
    'revoke-key': async ({ params }) => {
      await revocation.revoke(params.id);
      return null;
    },
  };
}

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
