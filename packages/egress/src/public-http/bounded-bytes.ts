import { Transform, type TransformCallback } from 'node:stream';
import { PublicHttpError } from './public-http-error.js';

interface BoundedBytesOptions {
  /** More are a PublicHttpError (too-large). */
  readonly maxBytes: number;
  readonly onBytes?: () => void;
  /** What to end with in place of an error. */
  readonly errorFor: (error: Error) => Error;
}

/** Passes on no more than a number of bytes. */
export class BoundedBytes extends Transform {
  #left: number;
  readonly #onBytes: (() => void) | undefined;
  readonly #errorFor: (error: Error) => Error;

  constructor({ maxBytes, onBytes, errorFor }: BoundedBytesOptions) {
    super();
    this.#left = maxBytes;
    this.#onBytes = onBytes;
    this.#errorFor = errorFor;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#onBytes?.();
    this.#left -= chunk.length;
    if (this.#left < 0) done(new PublicHttpError('too-large'));
    else done(null, chunk);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error === null ? null : this.#errorFor(error));
  }
}
