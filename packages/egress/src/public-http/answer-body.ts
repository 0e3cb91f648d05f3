import type { Readable, Transform } from 'node:stream';
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
  /** Called when nothing more is read from the server, once or twice. */
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
  const counted = new BoundedBytes(maxBytes, () => clock.restartStep());
  const body = decoder === undefined ? counted : new BoundedBytes(maxBytes);
  const stages = decoder === undefined ? [counted] : [counted, decoder, body];
  const fail = (error: Error): void => {
    const { aborted, reason } = clock.signal;
    const known = error instanceof PublicHttpError ? error : new PublicHttpError('bad-answer');
    // Without effect if the reader has ended it.
    body.destroy(aborted ? reason : known);
  };
  let source: Readable = received.on('error', fail);
  for (const stage of stages) source = source.pipe(stage.on('error', fail));
  body.once('finish', onEnd);
  body.once('close', () => {
    for (const stream of [received, ...stages]) stream.destroy();
    onEnd();
  });
  clock.signal.addEventListener('abort', () => fail(clock.signal.reason), { once: true });
  // What is unread waits for its reader, not for the server.
  clock.startStep(idleMs, () => body.readableLength === 0);
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
