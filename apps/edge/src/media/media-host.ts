import type { Readable } from 'node:stream';
import { WafleetError } from '@wafleet/contract';
import { Agent, request } from 'undici';

const CONNECT_MS = 10_000;
/** WhatsApp's own client says this. */
const HEADERS = { origin: 'https://web.whatsapp.com', 'accept-encoding': 'identity' };
/** What the host answers for a file that it has no longer, or whose address has run out. */
const GONE_STATUSES: ReadonlySet<number> = new Set([403, 404, 410]);

/** A file as the media host has it. */
export interface EncryptedFile {
  readonly body: Readable;
  /** Bytes, as the host tells; undefined when it does not. */
  readonly length: number | undefined;
}

/**
 * The address of a file on a media host. The path comes from the sender of a message: it must be one that stays as it is
 * in a URL, so that it cannot name another host, nor climb out of anything.
 * @param origin of the host, such as `https://mmg.whatsapp.net`.
 * @returns undefined for a path that is none.
 */
export function mediaUrl(origin: string, directPath: string): URL | undefined {
  if (!/^\/[\x21-\x7e]+$/.test(directPath) || directPath.startsWith('//')) return undefined;
  const address = `${origin}${directPath}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isUnchanged = url?.origin === origin && `${url.pathname}${url.search}` === directPath;
  return isUnchanged ? url : undefined;
}

/** WhatsApp's media host, or the one that takes its place. The only host that files are fetched from. */
export class MediaHost {
  readonly #origin: string;
  readonly #agent: Agent;

  /** @param options.answerMs how long the host may take to answer. */
  constructor(options: { url: string; answerMs: number }) {
    this.#origin = new URL(options.url).origin;
    // Redirects are not followed: they would lead wherever the answer says.
    this.#agent = new Agent({
      connect: { timeout: CONNECT_MS },
      headersTimeout: options.answerMs,
      // Whoever reads the body watches that it goes on: the reader may be slow as well.
      bodyTimeout: 0,
    });
  }

  /**
   * Fetches a file. The body must be read or destroyed; the signal ends it at any time.
   * @returns `gone` when the host has it no longer.
   * @throws {WafleetError} MEDIA_UNAVAILABLE; what the signal's abort is told with.
   */
  async fetch(directPath: string, signal: AbortSignal): Promise<EncryptedFile | 'gone'> {
    const url = mediaUrl(this.#origin, directPath);
    if (url === undefined) throw unavailable('The message tells no valid place of the file.');
    const { statusCode, headers, body } = await this.#request(url, signal);
    if (statusCode === 200) return { body, length: lengthOf(headers['content-length']) };
    // What is not read ends the connection, which is told as an error.
    body.on('error', () => {}).destroy();
    if (GONE_STATUSES.has(statusCode)) return 'gone';
    throw unavailable(`WhatsApp’s media server answered ${statusCode}.`);
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #request(url: URL, signal: AbortSignal) {
    try {
      return await request(url, { dispatcher: this.#agent, headers: HEADERS, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw unavailable('WhatsApp’s media server cannot be reached.', error);
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
