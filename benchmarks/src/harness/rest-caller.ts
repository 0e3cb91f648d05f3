import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

const TIMEOUT_MS = 60_000;

export interface RestCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Begins with `/api/`. */
  readonly path: string;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
}

export interface RestAnswer {
  readonly status: number;
  readonly body: string;
}

/** REST calls of an API key to one edge, over keep-alive connections. */
export class RestCaller {
  readonly #options: { port: number; apiKey: string; localAddress?: string };
  readonly #agent: Agent;

  /** @param options.localAddress the local address of the calls. Default: 127.0.0.1. */
  constructor(options: { port: number; apiKey: string; localAddress?: string; connections: number }) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  }

  /** Resolves with any answer. Rejects if there is no answer. */
  async call({ method, path, body, idempotencyKey }: RestCall): Promise<RestAnswer> {
    const { port, apiKey, localAddress } = this.#options;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port,
        method,
        path,
        agent: this.#agent,
        timeout: TIMEOUT_MS,
        headers: {
          'x-api-key': apiKey,
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
          ...(payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
        },
        ...(localAddress === undefined ? {} : { localAddress }),
      });
      sent.once('response', resolve);
      sent.once('error', reject);
      sent.once('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      sent.end(payload);
    });
    return { status: response.statusCode ?? 0, body: await text(response) };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A summary of an answer: `200`, or `429 RATE_LIMITED`. */
export function describeAnswer({ status, body }: RestAnswer): string {
  const code = status < 400 ? undefined : /"code":"(\w+)"/.exec(body)?.[1];
  return code === undefined ? String(status) : `${status} ${code}`;
}
