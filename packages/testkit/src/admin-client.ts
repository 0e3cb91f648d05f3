import {
  type ApiKeyView,
  apiKeyListSchema,
  type CreatedKey,
  type CreateKeyBody,
  createdKeySchema,
  type Tenant,
  tenantSchema,
} from '@wafleet/contract';
import { type BodySchema, callApi, noBody, type RestCall } from './rest.js';

/** The administrator's REST calls. Each rejects with an `ApiError` where the edge refuses. */
export class AdminClient {
  readonly #edgeUrl: () => string;
  readonly #token: string;

  /** `edgeUrl` is asked for every call, since edges come and go. */
  constructor(edgeUrl: () => string, token: string) {
    this.#edgeUrl = edgeUrl;
    this.#token = token;
  }

  createTenant(name: string): Promise<Tenant> {
    return this.#call({ method: 'POST', path: '/api/tenants', body: { name } }, tenantSchema);
  }

  /** `limits` are none where they are not given. */
  createKey(tenantId: string, limits: Omit<CreateKeyBody, 'tenantId'> = {}): Promise<CreatedKey> {
    const body = { tenantId, ...limits };
    return this.#call({ method: 'POST', path: '/api/keys', body }, createdKeySchema);
  }

  listKeys(tenantId: string): Promise<ApiKeyView[]> {
    return this.#call({ method: 'GET', path: `/api/tenants/${tenantId}/keys` }, apiKeyListSchema);
  }

  revokeKey(id: string): Promise<void> {
    return this.#call({ method: 'DELETE', path: `/api/keys/${id}` }, noBody);
  }

  #call<T>(call: RestCall, schema: BodySchema<T>): Promise<T> {
    return callApi(this.#edgeUrl(), { authorization: `Bearer ${this.#token}` }, call, schema);
  }
}
