import { AddressRules, EgressProxy, ProxyRoute } from '@wafleet/egress';
import { DEFAULT_CONNECTION_CONFIG, type SocketConfig } from '@whiskeysockets/baileys';

/** How long a connection through a proxy may take, if the connection to WhatsApp may take longer. */
const LONGEST_CONNECT_MS = 15_000;

/** The proxy that was set for a session. All of its connections to WhatsApp go through it, or are not made. */
export class SessionProxy {
  readonly #rules: AddressRules;
  readonly #connectTimeoutMs: number;
  readonly #ca: string | undefined;
  #url: string | undefined;
  #version = 0;

  /**
   * @param options.connectTimeoutMs how long a connection to WhatsApp may take to become open.
   * @param options.ca certificate authorities to trust, in PEM. Default: Node.js' own.
   */
  constructor(options: {
    rules: AddressRules | undefined;
    connectTimeoutMs: number;
    ca?: string | undefined;
  }) {
    this.#rules = options.rules ?? AddressRules.parse('');
    this.#connectTimeoutMs = options.connectTimeoutMs;
    this.#ca = options.ca;
  }

  /** Grows whenever another proxy is set, or none. */
  get version(): number {
    return this.#version;
  }

  /** @param url undefined: no proxy. */
  set(url: string | undefined): void {
    if (url === this.#url) return;
    this.#url = url;
    this.#version += 1;
  }

  /**
   * The way through the proxy, for one connection to WhatsApp, which must close it. Undefined if there is no proxy.
   * @throws {ProxyUrlError} if what was set is not a proxy.
   */
  openRoute(): ProxyRoute | undefined {
    if (this.#url === undefined) return undefined;
    // So that a proxy that does not answer is not taken for WhatsApp.
    const timeoutMs = Math.min(LONGEST_CONNECT_MS, this.#connectTimeoutMs / 2);
    const answerMs = this.#connectTimeoutMs / 2;
    return new ProxyRoute(EgressProxy.parse(this.#url), {
      rules: this.#rules,
      ...{ timeoutMs, ca: this.#ca },
      // A file that stands still holds up the messages behind it.
      answers: { headersTimeout: answerMs, bodyTimeout: answerMs },
    });
  }
}

/**
 * The settings of a Baileys socket that lead everything it connects to through the proxy: the WebSocket by `agent`,
 * uploads by `fetchAgent`, history, app-state and downloads by `options`. They are set together, since a socket with one
 * of them missing would show the worker's own address.
 */
export function routedConnections(
  { httpAgent, httpsAgent, dispatcher }: ProxyRoute,
  url: string = String(DEFAULT_CONNECTION_CONFIG.waWebSocketUrl),
) {
  const options: RequestInit = {};
  // The types of Node.js' own fetch and of the package undici are not the same.
  Object.assign(options, { dispatcher });
  return {
    agent: url.startsWith('wss:') ? httpsAgent : httpAgent,
    fetchAgent: httpsAgent,
    options,
  } satisfies Partial<SocketConfig>;
}
