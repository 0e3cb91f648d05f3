import { Transform, type TransformCallback } from 'node:stream';
import { PublicHttpError } from './public-http-error.js';

/** Passes on no more than a number of bytes. More are a PublicHttpError (too-large). */
export class BoundedBytes extends Transform {
  #left: number;
  readonly #onBytes: (() => void) | undefined;

  constructor(maxBytes: number, onBytes?: () => void) {
    super();
    this.#left = maxBytes;
    this.#onBytes = onBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#onBytes?.();
    this.#left -= chunk.length;
    if (this.#left < 0) done(new PublicHttpError('too-large'));
    else done(null, chunk);
  }
}
