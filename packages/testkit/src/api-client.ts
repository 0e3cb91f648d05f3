import {
  type CreatedSession,
  createdSessionSchema,
  type PairingCode,
  pairingCodeSchema,
  type Qr,
  qrSchema,
  type SentMessage,
  type SessionStatus,
  type SessionView,
  sentMessageSchema,
  sessionListSchema,
  sessionSchema,
} from '@wafleet/contract';
import { type BodySchema, callApi, emptyBody, type RestCall } from './rest.js';
import { waitFor } from './wait-for.js';

/** A tenant's REST calls. Each rejects with an `ApiError` if the edge refuses. */
export class ApiClient {
  readonly apiKey: string;
  readonly #edgeUrl: () => string;

  /** `edgeUrl` is called for every request, since edges come and go. */
  constructor(edgeUrl: () => string, apiKey: string) {
    this.#edgeUrl = edgeUrl;
    this.apiKey = apiKey;
  }

  createSession(body: { id?: string; name?: string } = {}): Promise<CreatedSession> {
    return this.#call({ method: 'POST', path: '/api/sessions', body }, createdSessionSchema);
  }

  listSessions(): Promise<SessionView[]> {
    return this.#call({ method: 'GET', path: '/api/sessions' }, sessionListSchema);
  }

  getSession(id: string): Promise<SessionView> {
    return this.#call({ method: 'GET', path: `/api/sessions/${id}` }, sessionSchema);
  }

  deleteSession(id: string): Promise<void> {
    return this.#call({ method: 'DELETE', path: `/api/sessions/${id}` }, emptyBody);
  }

  restartSession(id: string): Promise<CreatedSession> {
    return this.#call({ method: 'POST', path: `/api/sessions/${id}/restart` }, createdSessionSchema);
  }

  /** Rejects with QR_NOT_AVAILABLE while the session shows no QR code. */
  getQr(id: string): Promise<Qr> {
    return this.#call({ method: 'GET', path: `/api/sessions/${id}/qr` }, qrSchema);
  }

  requestPairingCode(id: string, phone: string): Promise<PairingCode> {
    const path = `/api/sessions/${id}/pairing-code`;
    return this.#call({ method: 'POST', path, body: { phone } }, pairingCodeSchema);
  }

  sendText(id: string, to: string, text: string): Promise<SentMessage> {
    const path = `/api/sessions/${id}/messages`;
    return this.#call({ method: 'POST', path, body: { to, text } }, sentMessageSchema);
  }

  /** Resolves once the session has the status. */
  waitForStatus(id: string, status: SessionStatus, timeoutMs = 30_000): Promise<SessionView> {
    let seen: SessionView | undefined;
    const look = async () => {
      seen = await this.getSession(id);
      return seen.status === status && seen;
    };
    return waitFor(look, { what: `session ${id} ${status}`, timeoutMs, intervalMs: 100 }).catch(
      (error: Error) => {
        throw new Error(`${error.message}; the session is ${JSON.stringify(seen)}`, { cause: error });
      },
    );
  }

  #call<T>(call: RestCall, schema: BodySchema<T>): Promise<T> {
    return callApi(this.#edgeUrl(), { 'x-api-key': this.apiKey }, call, schema);
  }
}
