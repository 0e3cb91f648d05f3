import {
  type CreatedKey,
  type CreatedSession,
  createdKeySchema,
  createdSessionSchema,
  errorBodySchema,
  type PairingCode,
  pairingCodeSchema,
  type Qr,
  qrSchema,
  type SessionView,
  sessionListSchema,
  sessionSchema,
  type Tenant,
  tenantSchema,
  WafleetError,
} from '@wafleet/contract';
import type { z } from 'zod';

const TIMEOUT_MS = 20_000;

interface Call<S extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly token: string;
  readonly body?: object;
  readonly answer: S;
}

/** The edge's REST API. Every call rejects with the WafleetError that the edge answered. */
class Rest {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async call<S extends z.ZodType>({ method, path, token, body, answer }: Call<S>): Promise<z.output<S>> {
    const response = await this.#fetch(method, path, token, body);
    return answer.parse(await response.json());
  }

  async delete(path: string, token: string): Promise<void> {
    await this.#fetch('DELETE', path, token, undefined);
  }

  async #fetch(method: string, path: string, token: string, body: object | undefined): Promise<Response> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) return response;
    const { error } = errorBodySchema.parse(await response.json());
    throw new WafleetError(error.code, error.message, error.details);
  }
}

/** The calls of the cluster's operator. */
export class AdminClient {
  readonly #rest: Rest;
  readonly #adminToken: string;

  constructor(url: string, adminToken: string) {
    this.#rest = new Rest(url);
    this.#adminToken = adminToken;
  }

  createTenant(name: string): Promise<Tenant> {
    return this.#rest.call({
      method: 'POST',
      path: '/api/tenants',
      token: this.#adminToken,
      body: { name },
      answer: tenantSchema,
    });
  }

  createKey(tenantId: string, name: string): Promise<CreatedKey> {
    return this.#rest.call({
      method: 'POST',
      path: '/api/keys',
      token: this.#adminToken,
      body: { tenantId, name },
      answer: createdKeySchema,
    });
  }
}

/** The calls of a tenant for its sessions. */
export class TenantClient {
  readonly #rest: Rest;
  readonly #apiKey: string;

  constructor(url: string, apiKey: string) {
    this.#rest = new Rest(url);
    this.#apiKey = apiKey;
  }

  /** Whether the API key is valid. */
  async isAccepted(): Promise<boolean> {
    return (await undefinedWhen('UNAUTHORIZED', this.#get('/api/sessions', sessionListSchema))) !== undefined;
  }

  createSession(id: string, name: string): Promise<CreatedSession> {
    return this.#rest.call({
      method: 'POST',
      path: '/api/sessions',
      token: this.#apiKey,
      body: { id, name },
      answer: createdSessionSchema,
    });
  }

  /** Undefined if there is no such session. */
  session(id: string): Promise<SessionView | undefined> {
    return undefinedWhen('SESSION_NOT_FOUND', this.#get(`/api/sessions/${id}`, sessionSchema));
  }

  /** No effect if there is no such session. */
  async deleteSession(id: string): Promise<void> {
    await undefinedWhen('SESSION_NOT_FOUND', this.#rest.delete(`/api/sessions/${id}`, this.#apiKey));
  }

  /** Undefined while the session shows no QR code. */
  qr(id: string): Promise<Qr | undefined> {
    return undefinedWhen('QR_NOT_AVAILABLE', this.#get(`/api/sessions/${id}/qr`, qrSchema));
  }

  requestPairingCode(id: string, phone: string): Promise<PairingCode> {
    return this.#rest.call({
      method: 'POST',
      path: `/api/sessions/${id}/pairing-code`,
      token: this.#apiKey,
      body: { phone },
      answer: pairingCodeSchema,
    });
  }

  #get<S extends z.ZodType>(path: string, answer: S): Promise<z.output<S>> {
    return this.#rest.call({ method: 'GET', path, token: this.#apiKey, answer });
  }
}

async function undefinedWhen<T>(code: string, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof WafleetError && error.code === code) return undefined;
    throw error;
  }
}
