import { setMaxListeners } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, type RequestOptions, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { AddressRules } from '../address-rules.js';
import { answerBody } from './answer-body.js';
import { lookUpInDns, type NameLookup } from './name-lookup.js';
import { type DialOptions, dialPublic } from './public-dial.js';
import { PublicHttpError } from './public-http-error.js';
import { publicUrl } from './public-url.js';
import { RequestClock, type RequestTimes } from './request-clock.js';

const TIMES: RequestTimes = { connectMs: 10_000, headersMs: 20_000, idleMs: 20_000, totalMs: 300_000 };
const MAX_REDIRECTS = 5;
const MAX_HEADER_BYTES = 16 * 1024;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** The answers that are a whole file. 206 is a part that was not asked for. */
const WHOLE: ReadonlySet<number> = new Set([200, 203]);
const HEADERS = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'Wafleet' };

export interface PublicHttpOptions {
  /** Which addresses servers may have. */
  readonly rules: AddressRules;
  /** Default: by DNS. Never asked for an address, nor for localhost. */
  readonly lookup?: NameLookup | undefined;
  /** Certificate authorities to trust in place of Node.js' own, in PEM. */
  readonly ca?: string | undefined;
}

export interface PublicRequestOptions {
  /** How many bytes of a body are taken, as sent and decoded. Infinity if the reader stops by itself. */
  readonly maxBytes: number;
  /** Ends the request at any time, also while its body is read. */
  readonly signal?: AbortSignal | undefined;
  /**
   * With names in lower case. A server that the URL's server redirects to gets none of them but `accept` and
   * `user-agent`.
   */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Time limits that differ from the defaults: 10 s to connect, 20 s for the head, 20 s idle, 5 minutes in all. */
  readonly times?: Partial<RequestTimes> | undefined;
  /** Default: 5. Those of a POST are not followed: they are its answer. */
  readonly maxRedirects?: number | undefined;
}

export interface PublicCallOptions extends PublicRequestOptions {
  readonly method: 'GET' | 'POST';
  readonly body?: string | Uint8Array | undefined;
}

export interface PublicAnswer {
  readonly status: number;
  /** Where the answer came from, after redirects. Its query may have secrets. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The Content-Type as sent. */
  readonly contentType: string | undefined;
  /** How many bytes the body has; undefined if the server did not say. */
  readonly length: number | undefined;
  /** Must be read or destroyed. It ends with a PublicHttpError, or with the reason of the request's signal. */
  readonly body: Readable;
}

interface Received {
  readonly answer: IncomingMessage;
  /** Closes the connection. */
  readonly close: () => void;
}

/**
 * Requests to addresses that clients, or pages, have chosen. Each goes directly to a server whose address the rules allow,
 * and so does each redirect; DNS is asked once for each. There are no cookies, no proxies of the environment, and no
 * connections that stay open for another request. Everything is bounded: time, redirects, headers, and bytes, before and
 * after decoding.
 */
export class PublicHttp {
  readonly #dialing: Omit<DialOptions, 'signal'>;
  readonly #closing = new AbortController();

  constructor({ rules, lookup = lookUpInDns, ca }: PublicHttpOptions) {
    this.#dialing = { rules, lookup, ca };
    // Each request listens.
    setMaxListeners(0, this.#closing.signal);
  }

  /**
   * Fetches a file or a page.
   * @throws {PublicHttpError} of any kind; the reason of the signal if that aborts.
   */
  async get(url: string, options: PublicRequestOptions): Promise<PublicAnswer> {
    const answer = await this.request(url, { ...options, method: 'GET' });
    if (WHOLE.has(answer.status)) return answer;
    answer.body.on('error', () => {}).destroy();
    throw new PublicHttpError('http-status', answer.status);
  }

  /**
   * Makes a request, and takes any status for an answer.
   * @throws {PublicHttpError} of any kind but http-status; the reason of the signal if that aborts.
   */
  async request(url: string, options: PublicCallOptions): Promise<PublicAnswer> {
    const times = { ...TIMES, ...options.times };
    const signals = [this.#closing.signal, ...(options.signal === undefined ? [] : [options.signal])];
    const clock = new RequestClock(times.totalMs, signals);
    try {
      return await this.#follow(publicUrl(url), options, { clock, times });
    } catch (error) {
      clock.stop();
      throw error;
    }
  }

  /** Ends all requests. Those that are under way fail as `unreachable`. */
  close(): void {
    this.#closing.abort(new PublicHttpError('unreachable'));
  }

  async #follow(
    first: URL,
    options: PublicCallOptions,
    timing: { clock: RequestClock; times: RequestTimes },
  ): Promise<PublicAnswer> {
    const { maxRedirects = MAX_REDIRECTS } = options;
    let url = first;
    let given = options.headers;
    for (let redirects = 0; ; redirects++) {
      const received = await this.#ask(url, { ...options, headers: { ...HEADERS, ...given } }, timing);
      const next = maxRedirects === 0 ? undefined : redirectOf(received, url, options.method);
      if (next === undefined) return answerOf(received, url, { ...timing, maxBytes: options.maxBytes });
      if (redirects === maxRedirects) throw new PublicHttpError('too-many-redirects');
      if (next.origin !== url.origin) given = forAnybody(given);
      url = next;
    }
  }

  async #ask(
    url: URL,
    { method, headers, body }: PublicCallOptions,
    { clock, times }: { clock: RequestClock; times: RequestTimes },
  ): Promise<Received> {
    const { signal } = clock;
    clock.startStep(times.connectMs);
    signal.throwIfAborted();
    const socket = await dialPublic(url, { ...this.#dialing, signal });
    clock.startStep(times.headersMs);
    const close = () => socket.destroy();
    signal.addEventListener('abort', close, { once: true });
    try {
      const path = `${url.pathname}${url.search}`;
      const answer = await exchange(socket, { method, path, headers: { ...headers, host: url.host } }, body);
      return { answer, close };
    } catch {
      close();
      signal.throwIfAborted();
      throw new PublicHttpError('bad-answer');
    }
  }
}

/** The headers that say nothing but what the caller is. */
function forAnybody(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => name === 'accept' || name === 'user-agent');
  return Object.fromEntries(kept);
}

/** Makes a request over a connection of its own. */
function exchange(
  socket: Socket,
  options: Pick<RequestOptions, 'method' | 'path' | 'headers'>,
  body: string | Uint8Array | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = request({
      ...options,
      createConnection: () => socket,
      maxHeaderSize: MAX_HEADER_BYTES,
      // A variable of the environment can change it where it is not given.
      insecureHTTPParser: false,
    });
    asking.on('error', reject);
    // An answer that switches protocols ends without an error.
    asking.once('close', () => reject(new PublicHttpError('bad-answer')));
    asking.once('response', (answer) => {
      // Node.js takes a reset for the end of a body without a length.
      socket.prependOnceListener('error', (error) => {
        if (!answer.complete) answer.destroy(error);
      });
      resolve(answer);
    });
    asking.end(body);
  });
}

/**
 * Where the answer redirects to. The connection is closed then, and after an error.
 * @throws {PublicHttpError} bad-redirect.
 */
function redirectOf(
  { answer, close }: Received,
  url: URL,
  method: PublicCallOptions['method'],
): URL | undefined {
  const { location } = answer.headers;
  const isFollowed = method === 'GET' && REDIRECTS.has(statusOf(answer));
  if (!isFollowed || location === undefined) return undefined;
  discard(answer);
  close();
  const next = redirectTarget(location, url);
  // A client that writes https wants that no machine on the way reads or changes what is fetched.
  if (next === undefined || (url.protocol === 'https:' && next.protocol === 'http:')) {
    throw new PublicHttpError('bad-redirect');
  }
  return next;
}

function redirectTarget(location: string, url: URL): URL | undefined {
  try {
    return publicUrl(location, url);
  } catch {
    return undefined;
  }
}

/** @throws {PublicHttpError} too-large or bad-answer. The connection is closed then. */
function answerOf(
  { answer, close }: Received,
  url: URL,
  { clock, times, maxBytes }: { clock: RequestClock; times: RequestTimes; maxBytes: number },
): PublicAnswer {
  const { headers } = answer;
  const encoding = headers['content-encoding']?.trim().toLowerCase();
  const announced = headers['content-length'];
  try {
    if (Number(announced ?? 0) > maxBytes) throw new PublicHttpError('too-large');
    const onEnd = () => {
      clock.stop();
      close();
    };
    const body = answerBody(answer, { maxBytes, idleMs: times.idleMs, clock, encoding, onEnd });
    const isPlain = encoding === undefined || encoding === '' || encoding === 'identity';
    const length = isPlain && announced !== undefined ? Number(announced) : undefined;
    return {
      ...{ status: statusOf(answer), url: url.href, headers },
      ...{ contentType: headers['content-type'], length, body },
    };
  } catch (error) {
    discard(answer);
    close();
    throw error;
  }
}

/** An unread body ends the connection, which it reports as an error. */
function discard(answer: IncomingMessage): void {
  answer.on('error', () => {}).destroy();
}

/** Node.js' types leave it open, since they are those of requests as well. */
function statusOf({ statusCode = 0 }: IncomingMessage): number {
  return statusCode;
}
