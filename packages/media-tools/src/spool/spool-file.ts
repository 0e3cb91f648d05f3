import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { MediaToolError } from '../errors/media-tool-error.js';
import { spoolError } from './no-room.js';
import type { SpoolBudget } from './spool-budget.js';

export interface SpoolOptions {
  /** It must exist. Default: the system's directory for temporary files. */
  directory?: string;
  /** Default: no bound. */
  budget?: SpoolBudget;
}

export interface SpoolWriteOptions {
  /** How many bytes the file may have in all. */
  maxBytes: number;
  signal?: AbortSignal;
}

const READ_BYTES = 64 * 1024;

const { O_CREAT, O_EXCL, O_RDWR } = constants;

/**
 * A temporary file without a name: it is unlinked as soon as it is open, so that nothing is left on disk after `close`
 * or after a crash. Only this process can read it, and children that inherit its descriptor.
 *
 * Its bytes count against the budget until it is closed.
 */
export class SpoolFile {
  readonly #handle: FileHandle;
  readonly #budget: SpoolBudget | undefined;
  #bytes = 0;
  #reserved = 0;
  #closed: Promise<void> | undefined;

  private constructor(handle: FileHandle, budget: SpoolBudget | undefined) {
    this.#handle = handle;
    this.#budget = budget;
  }

  /** @throws the system's error if no file can be made in the directory. */
  static async open({ directory = tmpdir(), budget }: SpoolOptions = {}): Promise<SpoolFile> {
    const path = join(directory, `wafleet-${randomUUID()}`);
    const handle = await open(path, O_CREAT | O_EXCL | O_RDWR, 0o600);
    try {
      await unlink(path);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return new SpoolFile(handle, budget);
  }

  /** For children to inherit. Its offset stays 0: reads and writes here say their position. */
  get fd(): number {
    return this.#handle.fd;
  }

  /** How many bytes were written. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Appends what the stream has, holding back the sender while the disk is slower. After an error the file is of no
   * use: close it. The stream is destroyed then.
   *
   * @returns how many bytes the file has now.
   * @throws MediaToolError `too-large` (bytes) or `spool-full`; what the stream fails with; the signal's reason.
   */
  async write(stream: Readable, { maxBytes, signal }: SpoolWriteOptions): Promise<number> {
    const abort = () => void stream.destroy();
    signal?.addEventListener('abort', abort);
    try {
      signal?.throwIfAborted();
      for await (const chunk of stream) await this.#append(chunk, maxBytes);
    } catch (error) {
      stream.destroy();
      // That the stream was destroyed says less than why.
      signal?.throwIfAborted();
      throw spoolError(error);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    return this.#bytes;
  }

  /**
   * Reserves room for a file of this size, before a child writes it.
   * @throws MediaToolError `spool-full`.
   */
  reserve(bytes: number): void {
    if (bytes <= this.#reserved) return;
    this.#budget?.reserve(bytes - this.#reserved);
    this.#reserved = bytes;
  }

  /** Learns the size of what a child wrote, and gives back the room that it did not take. */
  async refresh(): Promise<void> {
    const { size } = await this.#handle.stat();
    this.#bytes = size;
    if (size >= this.#reserved) return;
    this.#budget?.release(this.#reserved - size);
    this.#reserved = size;
  }

  /**
   * Reads from the first byte, as often as it is called. A stream that is still read when the file is closed fails with
   * EBADF.
   */
  read(): Readable {
    return Readable.from(this.#chunks(), { objectMode: false });
  }

  /** Reads up to `length` bytes at a position: fewer at the end of the file. */
  async readAt(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(length);
    const { bytesRead } = await this.#handle.read(buffer, 0, length, position);
    return buffer.subarray(0, bytesRead);
  }

  /** Frees the file's bytes on disk. May be called more than once. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    try {
      await this.#handle.close();
    } finally {
      this.#budget?.release(this.#reserved);
      this.#reserved = 0;
    }
  }

  async *#chunks(): AsyncGenerator<Buffer> {
    let position = 0;
    while (true) {
      const chunk = await this.readAt(position, READ_BYTES);
      if (chunk.length === 0) return;
      position += chunk.length;
      yield chunk;
    }
  }

  async #append(chunk: Uint8Array, maxBytes: number): Promise<void> {
    if (this.#bytes + chunk.byteLength > maxBytes) {
      throw new MediaToolError('too-large', `The file has more than ${maxBytes} bytes.`, { bound: 'bytes' });
    }
    this.reserve(this.#bytes + chunk.byteLength);
    let written = 0;
    while (written < chunk.byteLength) {
      const { bytesWritten } = await this.#handle.write(
        chunk,
        written,
        chunk.byteLength - written,
        this.#bytes,
      );
      written += bytesWritten;
      this.#bytes += bytesWritten;
    }
  }
}
