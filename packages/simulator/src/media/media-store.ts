import { createHash } from 'node:crypto';

/** A fault of the media host for one blob. `stall` sends half of it and then nothing. */
export type MediaFault = 'stall' | 'damage';

/** The blobs of the media host, in memory. Beyond the size limit, the oldest are dropped first. */
export class MediaStore {
  readonly #maxBytes: number;
  readonly #blobs = new Map<string, Buffer>();
  readonly #expired = new Set<string>();
  readonly #faults = new Map<string, MediaFault>();
  #bytes = 0;
  #uploads = 0;
  /** Number of stalled downloads that clients wait for. */
  stalled = 0;

  /** @param maxBytes limit for all blobs together. A single larger blob is kept alone. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Stores a blob and returns its direct path (`/v/…`), the same for the same content. */
  put(blob: Buffer): string {
    return this.#store(`/v/${createHash('sha256').update(blob).digest('base64url')}.enc`, blob);
  }

  get(path: string): Buffer | undefined {
    return this.#expired.has(path) ? undefined : this.#blobs.get(path);
  }

  /** The fault that applies when the blob is fetched. */
  faultOf(path: string): MediaFault | undefined {
    return this.#faults.get(path);
  }

  /** Applies a fault to the blob from now on. */
  breakAt(path: string, fault: MediaFault): void {
    this.#faults.set(path, fault);
  }

  /** Stops serving a blob, as WhatsApp does after some weeks: readers must ask a phone to upload it again. */
  expire(path: string): void {
    this.#expired.add(path);
  }

  /** Deletes the blob everywhere: neither the media host nor any phone has it any more. */
  lose(path: string): void {
    this.#drop(path);
  }

  /** A phone that kept the file uploads it again. Returns the new direct path; undefined if no phone has the file. */
  uploadAgain(path: string): string | undefined {
    const blob = this.#blobs.get(path);
    if (blob === undefined) return undefined;
    this.#uploads += 1;
    return this.#store(path.replace(/\.enc$/, `.${this.#uploads}.enc`), Buffer.from(blob));
  }

  #store(path: string, blob: Buffer): string {
    this.#drop(path);
    this.#blobs.set(path, blob);
    this.#bytes += blob.length;
    for (const oldest of this.#blobs.keys()) {
      if (this.#bytes <= this.#maxBytes || oldest === path) break;
      this.#drop(oldest);
    }
    return path;
  }

  #drop(path: string): void {
    this.#bytes -= this.#blobs.get(path)?.length ?? 0;
    this.#blobs.delete(path);
    this.#expired.delete(path);
    this.#faults.delete(path);
  }
}
