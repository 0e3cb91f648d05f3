import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Passkey, problemOfAssertion } from './passkey.js';

/** What the calls answer after a valid assertion. */
type AfterSignature = { readonly code: string; readonly isCodeOptional: boolean };

/** Origins that the calls allow, as an edge does. */
const ALLOWED_ORIGIN = /^(https:\/\/web\.whatsapp\.com|chrome-extension:\/\/[a-p]{32})$/;

/**
 * A server on this machine with the three calls of a helper link, for one session. It checks signatures with the
 * account's public key, as WhatsApp does.
 */
export class TokenCalls {
  readonly token = randomBytes(32).toString('base64url');
  readonly challenge = randomBytes(32).toString('base64url');
  readonly label = 'Shop <b>1</b>';
  /** The calls that came, such as `POST /api/passkey/assertion 200`. Preflights are left out. */
  readonly calls: string[] = [];
  /** Requests that an edge would refuse to answer to a browser. */
  readonly refusedOrigins: string[] = [];
  readonly #server: Server;
  readonly #passkey: Passkey;
  readonly #after: AfterSignature;
  #stage: 'requested' | 'code-shown' | 'confirmed' | 'linked' | 'ended' = 'requested';

  private constructor(passkey: Passkey, after: AfterSignature) {
    this.#passkey = passkey;
    this.#after = after;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(passkey: Passkey, after: AfterSignature): Promise<TokenCalls> {
    const calls = new TokenCalls(passkey, after);
    await new Promise<void>((resolve) => calls.#server.listen(0, '127.0.0.1', resolve));
    return calls;
  }

  /** The calls that changed something, or tried to. */
  get writes(): string[] {
    return this.calls.filter((call) => call.startsWith('POST'));
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The link that a person opens. */
  link({ token = this.token, apiUrl = `http://${this.host}` } = {}): string {
    const content = JSON.stringify({ t: token, b: apiUrl });
    return `https://web.whatsapp.com/#wafleet-passkey=${Buffer.from(content).toString('base64url')}`;
  }

  /** The phone finishes the link. */
  finish(): void {
    this.#stage = 'linked';
  }

  /** WhatsApp's request runs out. */
  expire(): void {
    this.#stage = 'ended';
  }

  get hasEnded(): boolean {
    return this.#stage === 'ended';
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const { origin } = headers;
    if (origin !== undefined && !ALLOWED_ORIGIN.test(origin)) this.refusedOrigins.push(origin);
    else if (origin !== undefined) response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-headers', 'authorization, content-type');
    response.setHeader('access-control-allow-methods', 'GET, POST');
    if (method === 'OPTIONS') return void response.writeHead(204).end();

    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body: unknown = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
    const isAllowed = headers.authorization === `Bearer ${this.token}` && headers.cookie === undefined;
    const [status, answer] = isAllowed ? this.#act(`${method} ${url}`, body) : refusal(401, 'UNAUTHORIZED');
    this.calls.push(`${method} ${url} ${status}`);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  #act(call: string, body: unknown): [number, object] {
    if (this.#stage === 'ended') return refusal(409, 'PASSKEY_NOT_REQUESTED');
    if (call === 'POST /api/passkey/assertion') {
      const problem = problemOfAssertion(body, this.#passkey, this.challenge);
      if (problem !== undefined) return refusal(422, 'PASSKEY_ASSERTION_INVALID', { problem });
      this.#stage = 'code-shown';
    } else if (call === 'POST /api/passkey/confirmation') {
      this.#stage = Object(body).matches === true ? 'confirmed' : 'ended';
    } else if (call !== 'GET /api/passkey') return refusal(404, 'ROUTE_NOT_FOUND');
    return [200, this.#view()];
  }

  #view(): object {
    const { label, challenge } = this;
    const expiresAt = new Date(Date.now() + 600_000).toISOString();
    if (this.#stage === 'requested') {
      const extensions = { uvm: true };
      const options = { challenge, timeout: 600_000, rpId: 'whatsapp.com', allowCredentials: [] };
      return {
        ...{ stage: 'requested', label, expiresAt },
        options: { ...options, userVerification: 'required', extensions },
      };
    }
    return { stage: this.#stage === 'ended' ? 'code-shown' : this.#stage, label, expiresAt, ...this.#after };
  }
}

function refusal(status: number, code: string, details?: object): [number, object] {
  return [status, { error: { code, message: 'Refused.', retryable: false, details } }];
}
