import type { Readable } from 'node:stream';
import { WafleetError } from '@wafleet/contract';
import { type AddressRules, EgressProxy, ProxyRoute, proxyErrorIn } from '@wafleet/egress';
import { Agent, type Dispatcher, request } from 'undici';

const CONNECT_MS = 10_000;
/** The headers that WhatsApp's own client sends. */
const HEADERS = { origin: 'https://web.whatsapp.com', 'accept-encoding': 'identity' };
/** The host's answers for a file that it no longer has, or whose address has expired. */
const GONE_STATUSES: ReadonlySet<number> = new Set([403, 404, 410]);

/** A file as the media host has it. */
export interface EncryptedFile {
  readonly body: Readable;
  /** Length in bytes as the host reports it; undefined if it does not. */
  readonly length: number | undefined;
}

/**
 * The address of a file on a media host. The path comes from the sender of a message. It must stay unchanged in a URL,
 * so that it cannot name another host or leave its directory.
 * @param origin of the host, such as `https://mmg.whatsapp.net`.
 * @returns undefined if the path is not valid.
 */
export function mediaUrl(origin: string, directPath: string): URL | undefined {
  if (!/^\/[\x21-\x7e]+$/.test(directPath) || directPath.startsWith('//')) return undefined;
  const address = `${origin}${directPath}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isUnchanged = url?.origin === origin && `${url.pathname}${url.search}` === directPath;
  return isUnchanged ? url : undefined;
}

/** How a file is fetched. */
interface FetchOptions {
  /** Ends it at any time. */
  readonly signal: AbortSignal;
  /** The URL of the proxy that the file must be fetched through. Undefined: directly. */
  readonly proxy: string | undefined;
}

/** WhatsApp's media host, or its replacement. Files are fetched from no other host. */
export class MediaHost {
  readonly #origin: string;
  readonly #proxyRules: AddressRules;
  readonly #answers: { readonly headersTimeout: number; readonly bodyTimeout: number };
  readonly #agent: Agent;
  /** Each is used for one file. */
  readonly #routes = new Set<ProxyRoute>();

  /**
   * @param options.answerMs how long the host may take to answer.
   * @param options.proxyRules which addresses a proxy may have.
   */
  constructor(options: { url: string; answerMs: number; proxyRules: AddressRules }) {
    this.#origin = new URL(options.url).origin;
    this.#proxyRules = options.proxyRules;
    // The reader of the body checks its progress instead, since the reader may be slow as well.
    this.#answers = { headersTimeout: options.answerMs, bodyTimeout: 0 };
    // Redirects are not followed: they could lead anywhere.
    this.#agent = new Agent({ connect: { timeout: CONNECT_MS }, ...this.#answers });
  }

  /**
   * Fetches a file. The body must be read or destroyed.
   * @returns `gone` if the host no longer has it.
   * @throws {WafleetError} MEDIA_UNAVAILABLE; the reason of the signal if that aborts.
   */
  async fetch(directPath: string, { signal, proxy }: FetchOptions): Promise<EncryptedFile | 'gone'> {
    const url = mediaUrl(this.#origin, directPath);
    if (url === undefined) throw unavailable('The message tells no valid place of the file.');
    const route = proxy === undefined ? undefined : this.#openRoute(proxy);
    const { statusCode, headers, body } = await this.#request(url, signal, route);
    if (route !== undefined) body.once('close', () => this.#closeRoute(route));
    if (statusCode === 200) return { body, length: lengthOf(headers['content-length']) };
    // An unread body ends the connection, which is reported as an error.
    body.on('error', () => {}).destroy();
    if (GONE_STATUSES.has(statusCode)) return 'gone';
    throw unavailable(`WhatsApp’s media server answered ${statusCode}.`);
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    for (const route of this.#routes) route.close();
    await this.#agent.destroy();
  }

  #openRoute(proxy: string): ProxyRoute {
    try {
      const options = { rules: this.#proxyRules, timeoutMs: CONNECT_MS, answers: this.#answers };
      const route = new ProxyRoute(EgressProxy.parse(proxy), options);
      this.#routes.add(route);
      return route;
    } catch (error) {
      throw unavailable('The session’s proxy cannot be used.', error);
    }
  }

  #closeRoute(route: ProxyRoute): void {
    this.#routes.delete(route);
    route.close();
  }

  async #request(
    url: URL,
    signal: AbortSignal,
    route: ProxyRoute | undefined,
  ): Promise<Dispatcher.ResponseData> {
    try {
      const dispatcher = route?.dispatcher ?? this.#agent;
      return await request(url, { dispatcher, headers: HEADERS, signal });
    } catch (error) {
      if (route !== undefined) this.#closeRoute(route);
      signal.throwIfAborted();
      const proxyError = proxyErrorIn(error);
      if (proxyError === undefined) throw unavailable('WhatsApp’s media server cannot be reached.', error);
      throw unavailable(`The file cannot be fetched. ${proxyError.message}`, proxyError);
    }
  }
}

function lengthOf(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

function unavailable(message: string, cause?: unknown): WafleetError {
  const error = new WafleetError('MEDIA_UNAVAILABLE', message);
  error.cause = cause;
  return error;
}
