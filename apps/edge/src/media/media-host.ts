import type { Readable } from 'node:stream';
import { WafleetError } from '@wafleet/contract';
import { Agent, request } from 'undici';

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

/** WhatsApp's media host, or its replacement. Files are fetched from no other host. */
export class MediaHost {
  readonly #origin: string;
  readonly #agent: Agent;

  /** @param options.answerMs how long the host may take to answer. */
  constructor(options: { url: string; answerMs: number }) {
    this.#origin = new URL(options.url).origin;
    // Redirects are not followed: they could lead anywhere.
    this.#agent = new Agent({
      connect: { timeout: CONNECT_MS },
      headersTimeout: options.answerMs,
      // The reader of the body checks its progress instead, since the reader may be slow as well.
      bodyTimeout: 0,
    });
  }

  /**
   * Fetches a file. The body must be read or destroyed. The signal ends it at any time.
   * @returns `gone` if the host no longer has it.
   * @throws {WafleetError} MEDIA_UNAVAILABLE; the reason of the signal if that aborts.
   */
  async fetch(directPath: string, signal: AbortSignal): Promise<EncryptedFile | 'gone'> {
    const url = mediaUrl(this.#origin, directPath);
    if (url === undefined) throw unavailable('The message tells no valid place of the file.');
    const { statusCode, headers, body } = await this.#request(url, signal);
    if (statusCode === 200) return { body, length: lengthOf(headers['content-length']) };
    // An unread body ends the connection, which is reported as an error.
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
