import {
  type ApiKeyView,
  apiKeyListSchema,
  type CreatedKey,
  type CreateKeyBody,
  createdKeySchema,
  type Tenant,
  tenantSchema,
} from '@wafleet/contract';
import { type BodySchema, callApi, emptyBody, type RestCall } from './rest.js';

/** The administrator's REST calls. Each rejects with an `ApiError` if the edge refuses. */
export class AdminClient {
  readonly #edgeUrl: () => string;
  readonly #token: string;

  /** `edgeUrl` is called for every request, since edges come and go. */
  constructor(edgeUrl: () => string, token: string) {
    this.#edgeUrl = edgeUrl;
    this.#token = token;
  }

  createTenant(name: string): Promise<Tenant> {
    return this.#call({ method: 'POST', path: '/api/tenants', body: { name } }, tenantSchema);
  }

  /** Default of `limits`: none. */
  createKey(tenantId: string, limits: Omit<CreateKeyBody, 'tenantId'> = {}): Promise<CreatedKey> {
    const body = { tenantId, ...limits };
    return this.#call({ method: 'POST', path: '/api/keys', body }, createdKeySchema);
  }

  listKeys(tenantId: string): Promise<ApiKeyView[]> {
    return this.#call({ method: 'GET', path: `/api/tenants/${tenantId}/keys` }, apiKeyListSchema);
  }

  revokeKey(id: string): Promise<void> {
    return this.#call({ method: 'DELETE', path: `/api/keys/${id}` }, emptyBody);
  }

  #call<T>(call: RestCall, schema: BodySchema<T>): Promise<T> {
    return callApi(this.#edgeUrl(), { authorization: `Bearer ${this.#token}` }, call, schema);
  }
}
