import type { Readable } from 'node:stream';
import { MEDIA_TEXT_LIMITS, WafleetError } from '@wafleet/contract';
import { type AddressRules, EgressProxy, ProxyRoute, proxyErrorIn, withPausedParser } from '@wafleet/egress';
import { Agent, buildConnector, type Dispatcher, request } from 'undici';
import { z } from 'zod';

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

/** A file to be uploaded. */
export interface MediaUpload {
  /** As WhatsApp names it to the session. */
  readonly host: string;
  /** Of the kind of file, such as `/mms/image`. */
  readonly path: string;
  /** SHA-256 of what is uploaded. */
  readonly hash: Buffer;
  readonly auth: string;
  readonly proxy: string | undefined;
  readonly signal: AbortSignal;
  /** Reads the file from its begin. */
  readonly open: () => Readable;
  /** Bytes. */
  readonly length: number;
}

/**
 * What came of an upload: where the file is; or that the host refused the token, cannot be reached, or answered
 * something else.
 */
export type UploadAnswer =
  | { readonly url: string | undefined; readonly directPath: string }
  | 'refused'
  | 'unreachable'
  | `status ${number}`;

const REFUSED_STATUSES: ReadonlySet<number> = new Set([401, 403]);
const WHATSAPP_HOST = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.whatsapp\.net$/i;
/** Far more than the host answers. */
const MAX_ANSWER_BYTES = 64 * 1024;

const uploadAnswerSchema = z.object({
  url: z.string().max(4_096).optional(),
  direct_path: z.string().min(1).max(MEDIA_TEXT_LIMITS.directPath),
});

/**
 * WhatsApp's media host, or its replacement. Files are fetched from no other host, and uploaded to hosts of
 * whatsapp.net, or to the replacement.
 */
export class MediaHost {
  readonly #origin: string;
  readonly #isWhatsApp: boolean;
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
    this.#isWhatsApp = WHATSAPP_HOST.test(new URL(options.url).hostname);
    this.#proxyRules = options.proxyRules;
    // The reader of the body checks its progress instead, since the reader may be slow as well.
    this.#answers = { headersTimeout: options.answerMs, bodyTimeout: 0 };
    // Redirects are not followed: they could lead anywhere.
    const connect = buildConnector({ timeout: CONNECT_MS });
    this.#agent = new Agent({
      connect: (target, done) =>
        connect(target, (...[error, socket]) =>
          error === null ? done(null, withPausedParser(socket)) : done(error, null),
        ),
      ...this.#answers,
    });
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

  /**
   * Uploads an encrypted file, once.
   * @throws the signal's reason, if that aborts. @throws {WafleetError} UPLOAD_FAILED if the proxy cannot be used, or if
   * the host is none of WhatsApp's.
   */
  async upload(upload: MediaUpload): Promise<UploadAnswer> {
    const { auth, hash, proxy, signal, length } = upload;
    const token = hash.toString('base64url');
    const url = new URL(`${this.#originOf(upload.host)}${upload.path}/${token}`);
    url.search = new URLSearchParams({ auth, token }).toString();
    const route = proxy === undefined ? undefined : this.#openRoute(proxy, 'UPLOAD_FAILED');
    const body = upload.open();
    try {
      const answer = await request(url, {
        method: 'POST',
        dispatcher: route?.dispatcher ?? this.#agent,
        headers: {
          ...HEADERS,
          'content-type': 'application/octet-stream',
          'content-length': String(length),
        },
        body,
        signal,
      });
      return await uploadAnswerOf(answer);
    } catch (error) {
      signal.throwIfAborted();
      const proxyError = proxyErrorIn(error);
      if (proxyError === undefined) return 'unreachable';
      throw failed('UPLOAD_FAILED', `The file cannot be uploaded. ${proxyError.message}`, proxyError);
    } finally {
      body.destroy();
      if (route !== undefined) this.#closeRoute(route);
    }
  }

  /** WhatsApp names the hosts, over the session's own connection; a replacement stands for all of them. */
  #originOf(host: string): string {
    if (!this.#isWhatsApp) return this.#origin;
    if (WHATSAPP_HOST.test(host)) return `https://${host}`;
    throw failed('UPLOAD_FAILED', 'The media server is none of WhatsApp’s.');
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    for (const route of this.#routes) route.close();
    await this.#agent.destroy();
  }

  #openRoute(proxy: string, code: 'MEDIA_UNAVAILABLE' | 'UPLOAD_FAILED' = 'MEDIA_UNAVAILABLE'): ProxyRoute {
    try {
      const options = { rules: this.#proxyRules, timeoutMs: CONNECT_MS, answers: this.#answers };
      const route = new ProxyRoute(EgressProxy.parse(proxy), options);
      this.#routes.add(route);
      return route;
    } catch (error) {
      throw failed(code, 'The session’s proxy cannot be used.', error);
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

async function uploadAnswerOf({ statusCode, body }: Dispatcher.ResponseData): Promise<UploadAnswer> {
  // An unread body ends the connection, which is reported as an error.
  const drop = () => body.on('error', () => {}).destroy();
  if (REFUSED_STATUSES.has(statusCode)) {
    drop();
    return 'refused';
  }
  const text = statusCode === 200 ? await readAnswer(body) : undefined;
  if (text === undefined) drop();
  const { data } = uploadAnswerSchema.safeParse(parseJson(text ?? ''));
  return data === undefined ? `status ${statusCode}` : { url: data.url, directPath: data.direct_path };
}

/** Undefined for an answer that is too long. */
async function readAnswer(body: Readable): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unavailable(message: string, cause?: unknown): WafleetError {
  return failed('MEDIA_UNAVAILABLE', message, cause);
}

function failed(code: 'MEDIA_UNAVAILABLE' | 'UPLOAD_FAILED', message: string, cause?: unknown): WafleetError {
  return new WafleetError(code, message, undefined, { cause });
}
