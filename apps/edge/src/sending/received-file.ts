import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { WafleetError } from '@wafleet/contract';
import { SpoolFile, type SpoolOptions } from '@wafleet/media-tools';
import { fileError } from './file-errors.js';
import type { UploadPlaces } from './upload-places.js';

/** A file in a request, before it is read. */
export interface IncomingFile {
  readonly content: Readable;
  /** Resolves when the request is complete, and rejects if it has more than the file. */
  readonly complete: Promise<void>;
  /** The media type that the client gives. */
  readonly mimetype: string | undefined;
}

/** A file that came with a request. It has a place until it is closed. */
export interface ReceivedFile {
  readonly file: SpoolFile;
  /** In base64url. */
  readonly sha256: string;
  readonly mimetype: string | undefined;
  close(): Promise<void>;
}

interface ReceivingOptions {
  readonly places: UploadPlaces;
  readonly spool: SpoolOptions;
  readonly maxBytes: number;
  /** In which time a client has to send `MIN_BYTES`, or to end its request, ms. */
  readonly stallMs: number;
}

/** A client that sends less keeps its place for too long. With the usual time it is some 35 kbit/s. */
const MIN_BYTES = 256 * 1024;

/** Receives the files of requests on disk, as fast as they come and no faster than the disk takes them. */
export class FileReceiver {
  readonly #options: ReceivingOptions;

  constructor(options: ReceivingOptions) {
    this.#options = options;
  }

  /**
   * @throws {WafleetError} TOO_MANY_UPLOADS, MEDIA_TOO_LARGE, REQUEST_TIMEOUT if the client is too slow,
   * VALIDATION_FAILED for a malformed request, UNAVAILABLE if the disk has no room; the signal's reason.
   */
  async receive(tenantId: string, incoming: IncomingFile, signal: AbortSignal): Promise<ReceivedFile> {
    const { places, spool, maxBytes, stallMs } = this.#options;
    const leave = await places.take(tenantId);
    let file: SpoolFile | undefined;
    try {
      const spooled = await SpoolFile.open(spool);
      file = spooled;
      const hash = createHash('sha256');
      const content = Readable.from(
        progressing(incoming.content, { stallMs, seen: (chunk) => hash.update(chunk) }),
      );
      await spooled.write(content, { maxBytes, signal });
      await inTime(incoming.complete, { stallMs, signal });
      return {
        file: spooled,
        sha256: hash.digest('base64url'),
        mimetype: incoming.mimetype,
        close: async () => {
          leave();
          await spooled.close();
        },
      };
    } catch (error) {
      incoming.content.destroy();
      leave();
      await file?.close();
      throw fileError(error, maxBytes);
    }
  }
}

/** Passes a stream on, and fails if too little comes for a while. */
async function* progressing(
  content: Readable,
  { stallMs, seen }: { stallMs: number; seen: (chunk: Buffer) => void },
): AsyncGenerator<Buffer> {
  let bytes = 0;
  const checking = setInterval(() => {
    if (bytes < MIN_BYTES) content.destroy(tooSlow(stallMs));
    bytes = 0;
  }, stallMs);
  try {
    for await (const chunk of content) {
      bytes += chunk.length;
      seen(chunk);
      yield chunk;
    }
  } finally {
    clearInterval(checking);
  }
}

/** Waits for the end of a request whose file is there: nothing else watches that one. */
async function inTime(
  complete: Promise<void>,
  { stallMs, signal }: { stallMs: number; signal: AbortSignal },
): Promise<void> {
  const ended = new AbortController();
  const late = async () => {
    await delay(stallMs, undefined, { signal: AbortSignal.any([signal, ended.signal]) });
    throw tooSlow(stallMs);
  };
  try {
    await Promise.race([complete, late()]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    ended.abort();
  }
}

function tooSlow(stallMs: number): WafleetError {
  return new WafleetError('REQUEST_TIMEOUT', `The client has sent too little for ${stallMs / 1_000} s.`);
}
