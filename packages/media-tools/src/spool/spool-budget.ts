import { MediaToolError } from '../errors/media-tool-error.js';

/** Bounds the bytes that all spool files of a process have on disk together. */
export class SpoolBudget {
  readonly #maxBytes: number;
  #used = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The bytes that are reserved now. */
  get used(): number {
    return this.#used;
  }

  /** @throws MediaToolError `spool-full`, and reserves nothing, if fewer bytes than this are left. */
  reserve(bytes: number): void {
    if (bytes > this.#maxBytes - this.#used) {
      throw new MediaToolError('spool-full', 'Too many files are being prepared now. Try again later.');
    }
    this.#used += bytes;
  }

  release(bytes: number): void {
    this.#used -= bytes;
  }
}
