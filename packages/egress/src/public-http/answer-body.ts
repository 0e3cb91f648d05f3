import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { BoundedBytes } from './bounded-bytes.js';
import { PublicHttpError } from './public-http-error.js';
import type { RequestClock } from './request-clock.js';

interface AnswerBodyOptions {
  readonly maxBytes: number;
  readonly idleMs: number;
  readonly clock: RequestClock;
  /** The Content-Encoding of the answer, in lower case. */
  readonly encoding: string | undefined;
  /** Called once nothing more is read from the server. */
  readonly onEnd: () => void;
}

/**
 * The body of an answer as it is to be read: decoded, and bounded in bytes and time, before and after decoding. It ends
 * with a PublicHttpError, or with the reason of the clock's signal.
 * @throws {PublicHttpError} bad-answer if the encoding is not known.
 */
export function answerBody(received: Readable, options: AnswerBodyOptions): Readable {
  const { maxBytes, idleMs, clock, encoding, onEnd } = options;
  const decoder = decoderOf(encoding);
  let isBroken = false;
  for (const source of [received, decoder]) {
    source?.once('error', () => {
      isBroken = true;
    });
  }
  const errorFor = (error: Error): Error => {
    if (clock.signal.aborted) return clock.signal.reason;
    // The reader may end the body with an error of its own.
    return isBroken && !(error instanceof PublicHttpError) ? new PublicHttpError('bad-answer') : error;
  };
  const counted = new BoundedBytes({ maxBytes, errorFor, onBytes: () => clock.restartStep() });
  const body = decoder === undefined ? counted : new BoundedBytes({ maxBytes, errorFor });
  // What is unread waits for its reader, not for the server.
  clock.startStep(idleMs, () => body.readableLength === 0);
  pipeline(decoder === undefined ? [received, counted] : [received, counted, decoder, body], onEnd);
  return body;
}

/** We ask for none. Servers of files that are stored compressed send them so all the same. */
function decoderOf(encoding: string | undefined): Transform | undefined {
  switch (encoding) {
    case undefined:
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      throw new PublicHttpError('bad-answer');
  }
}
