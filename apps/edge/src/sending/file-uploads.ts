import { Readable } from 'node:stream';
import { type FileSource, type FileType, type UploadedMedia, WafleetError } from '@wafleet/contract';
import type { PublicHttp } from '@wafleet/egress';
import { SpoolFile, type SpoolOptions } from '@wafleet/media-tools';
import type { SessionRef } from '@wafleet/store';
import type { EncryptedUploads } from './encrypted-upload.js';
import { fileError } from './file-errors.js';
import type { UploadWay } from './media-connection-client.js';
import { MEDIA_KINDS } from './media-kind.js';
import type { FilePreparation, PreparedFile } from './prepared-file.js';
import type { ReceivedFile } from './received-file.js';
import type { UploadPlaces } from './upload-places.js';

/** Where a file comes from that is to be uploaded. */
export type NewFile = Exclude<FileSource, { uploadId: string }>;

export interface FileCall {
  /** Ends it at any time. */
  readonly signal: AbortSignal;
  /** The file of the request, for the source `part`. */
  readonly received?: ReceivedFile | undefined;
}

/** How long it takes at most to prepare the files of a message, ms. */
export const PREPARATION_MS = 180_000;

interface FileUploadsOptions {
  readonly places: UploadPlaces;
  readonly http: Pick<PublicHttp, 'get'>;
  readonly preparation: FilePreparation;
  readonly encrypted: EncryptedUploads;
  readonly spool: SpoolOptions;
  readonly maxBytes: number;
}

/** Fetches, converts, encrypts and uploads files. No file is ever whole in memory, except one that came as base64. */
export class FileUploads {
  readonly #options: FileUploadsOptions;

  constructor(options: FileUploadsOptions) {
    this.#options = options;
  }

  /**
   * Uploads a file by the way of a session. Afterwards nothing is left on disk. Set a time limit by the signal.
   * @returns what a message has to say of it.
   * @throws {WafleetError} FILE_NOT_FETCHED, FILE_UNREADABLE, CONVERTER_MISSING, MEDIA_TOO_LARGE, UPLOAD_FAILED,
   * TOO_MANY_UPLOADS, UNAVAILABLE, what `SessionCommands.call` throws; the signal's reason.
   */
  async upload(
    ref: SessionRef,
    { type, source }: { readonly type: FileType; readonly source: NewFile },
    { signal, received }: FileCall,
  ): Promise<UploadedMedia> {
    const { places, maxBytes, encrypted } = this.#options;
    // A file is not fetched for a session that cannot upload it.
    const way = await encrypted.way(ref);
    // A file that came with the request has a place already.
    const leave = 'part' in source ? undefined : await places.take(ref.tenantId);
    try {
      const { file, mimetype, isOurs } = await this.#open(source, received, signal);
      try {
        return await this.#send(ref, way, { type, file, declared: mimetype, signal });
      } finally {
        if (isOurs) await file.close();
      }
    } catch (error) {
      throw fileError(error, maxBytes);
    } finally {
      leave?.();
    }
  }

  async #send(
    ref: SessionRef,
    way: UploadWay,
    { type, file, declared, signal }: OpenFile,
  ): Promise<UploadedMedia> {
    const { preparation, encrypted } = this.#options;
    const call = { tenantId: ref.tenantId, signal };
    const prepared = await preparation.prepare(type, file, { ...call, declared });
    try {
      const sent = { kind: MEDIA_KINDS[type], file: prepared.file };
      const stored = await encrypted.upload(ref, way, sent, signal);
      const { url, directPath, mediaKey, sha256, encryptedSha256, length } = stored;
      return {
        ...(url === undefined ? {} : { url }),
        directPath,
        mediaKey: mediaKey.toString('base64'),
        sha256: sha256.toString('base64'),
        encryptedSha256: encryptedSha256.toString('base64'),
        length,
        keyMadeAt: Math.floor(Date.now() / 1_000),
        ...descriptionOf(prepared),
      };
    } finally {
      if (prepared.file !== file) await prepared.file.close();
    }
  }

  async #open(
    source: NewFile,
    received: ReceivedFile | undefined,
    signal: AbortSignal,
  ): Promise<{ file: SpoolFile; mimetype: string | undefined; isOurs: boolean }> {
    if ('part' in source) {
      if (received !== undefined) return { ...received, isOurs: false };
      const message = 'The request has no part `file`: it must be multipart/form-data.';
      throw new WafleetError('VALIDATION_FAILED', message);
    }
    const { content, mimetype } =
      'url' in source
        ? await this.#fetch(source.url, signal)
        : { content: Readable.from([Buffer.from(source.base64, 'base64')]), mimetype: undefined };
    const file = await SpoolFile.open(this.#options.spool);
    try {
      await file.write(content, { maxBytes: this.#options.maxBytes, signal });
      return { file, mimetype, isOurs: true };
    } catch (error) {
      content.destroy();
      await file.close();
      throw error;
    }
  }

  async #fetch(
    url: string,
    signal: AbortSignal,
  ): Promise<{ content: Readable; mimetype: string | undefined }> {
    const { http, maxBytes } = this.#options;
    const { body, contentType } = await http.get(url, { maxBytes, signal });
    return { content: body, mimetype: contentType };
  }
}

interface OpenFile {
  readonly type: FileType;
  readonly file: SpoolFile;
  /** The media type that a client or a server gave. */
  readonly declared: string | undefined;
  readonly signal: AbortSignal;
}

function descriptionOf(
  prepared: PreparedFile,
): Omit<Partial<UploadedMedia>, 'mimetype'> & { mimetype: string } {
  const { mimetype, width, height, seconds, thumbnail, waveform, isAnimated } = prepared;
  return {
    mimetype: mimetype.slice(0, 255),
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(seconds === undefined ? {} : { seconds }),
    ...(thumbnail === undefined ? {} : { thumbnail: thumbnail.toString('base64') }),
    ...(waveform === undefined ? {} : { waveform: Buffer.from(waveform).toString('base64') }),
    ...(isAnimated === undefined ? {} : { isAnimated }),
  };
}
