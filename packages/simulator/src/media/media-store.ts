import { createHash } from 'node:crypto';

/** What the media host can do wrong with a blob: `stall` sends half of it and nothing more. */
export type MediaFault = 'stall' | 'damage';

/** The blobs of the media host, in memory, the oldest dropped first when they outgrow their bound. */
export class MediaStore {
  readonly #maxBytes: number;
  readonly #blobs = new Map<string, Buffer>();
  readonly #expired = new Set<string>();
  readonly #faults = new Map<string, MediaFault>();
  #bytes = 0;
  #uploads = 0;
  /** How many stalled downloads clients wait for. */
  stalled = 0;

  /** @param maxBytes bound on all blobs together; a single larger one is kept alone. */
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

  /** What is to go wrong when the blob is fetched. */
  faultOf(path: string): MediaFault | undefined {
    return this.#faults.get(path);
  }

  /** From now on something goes wrong with the blob. */
  breakAt(path: string, fault: MediaFault): void {
    this.#faults.set(path, fault);
  }

  /** Serves a blob no longer, as WhatsApp does after some weeks: readers have to ask a phone to upload it again. */
  expire(path: string): void {
    this.#expired.add(path);
  }

  /** Nobody has the blob any more, phones neither. */
  lose(path: string): void {
    this.#drop(path);
  }

  /** A phone that has kept the file uploads it again: where it lies then; undefined if nobody has it. */
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
