import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
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
  /** How long a client may send nothing, ms. */
  readonly stallMs: number;
}

/** Receives the files of requests on disk, as fast as they come and no faster than the disk takes them. */
export class FileReceiver {
  readonly #options: ReceivingOptions;

  constructor(options: ReceivingOptions) {
    this.#options = options;
  }

  /**
   * @throws {WafleetError} TOO_MANY_UPLOADS, MEDIA_TOO_LARGE, REQUEST_TIMEOUT if the client sends nothing for a while,
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
      await incoming.complete;
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

/** Passes a stream on, and fails if nothing comes for a while. */
async function* progressing(
  content: Readable,
  { stallMs, seen }: { stallMs: number; seen: (chunk: Buffer) => void },
): AsyncGenerator<Buffer> {
  const late = new WafleetError('REQUEST_TIMEOUT', `The client has sent nothing for ${stallMs / 1_000} s.`);
  const stalled = setTimeout(() => content.destroy(late), stallMs);
  try {
    for await (const chunk of content) {
      stalled.refresh();
      seen(chunk);
      yield chunk;
    }
  } finally {
    clearTimeout(stalled);
  }
}
