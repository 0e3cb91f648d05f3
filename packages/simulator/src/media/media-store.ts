import { createHash } from 'node:crypto';

/** The blobs of the media host, in memory, the oldest dropped first when they outgrow their bound. */
export class MediaStore {
  readonly #maxBytes: number;
  readonly #blobs = new Map<string, Buffer>();
  readonly #expired = new Set<string>();
  #bytes = 0;

  /** @param maxBytes bound on all blobs together; a single larger one is kept alone. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Stores a blob and returns its direct path (`/v/…`), the same for the same content. */
  put(blob: Buffer): string {
    const path = `/v/${createHash('sha256').update(blob).digest('base64url')}.enc`;
    this.#drop(path);
    this.#blobs.set(path, blob);
    this.#bytes += blob.length;
    for (const oldest of this.#blobs.keys()) {
      if (this.#bytes <= this.#maxBytes || oldest === path) break;
      this.#drop(oldest);
    }
    return path;
  }

  get(path: string): Buffer | undefined {
    return this.#expired.has(path) ? undefined : this.#blobs.get(path);
  }

  /** Serves a blob no longer, as WhatsApp does after some weeks: readers have to ask a phone to upload it again. */
  expire(path: string): void {
    this.#expired.add(path);
  }

  /** A phone that has kept the file uploads it again; false if nobody has it. */
  uploadAgain(path: string): boolean {
    this.#expired.delete(path);
    return this.#blobs.has(path);
  }

  #drop(path: string): void {
    this.#bytes -= this.#blobs.get(path)?.length ?? 0;
    this.#blobs.delete(path);
    this.#expired.delete(path);
  }
}
