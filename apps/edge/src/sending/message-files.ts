import {
  type FileContent,
  type FileSource,
  type FileStatus,
  type FileType,
  type SentFile,
  type SentFileContent,
  type SentStatus,
  sentFileContentSchema,
  sentStatusSchema,
  WafleetError,
} from '@wafleet/contract';
import type { SessionRef, UploadRecords } from '@wafleet/store';
import { type FileCall, type FileUploads, PREPARATION_MS } from './file-uploads.js';

/** Uploads the files of messages, and looks up those that were uploaded before. */
export class MessageFiles {
  readonly #uploads: FileUploads;
  readonly #records: Pick<UploadRecords, 'get'>;

  constructor(options: { uploads: FileUploads; records: Pick<UploadRecords, 'get'> }) {
    this.#uploads = options.uploads;
    this.#records = options.records;
  }

  /**
   * The content of `send-file-message` for a content with files: each file is uploaded, in three minutes at most. Nothing
   * is sent. The files of an album are uploaded one after the other.
   * @param content as the contract has validated it.
   * @throws {WafleetError} as `FileUploads.upload`; UPLOAD_NOT_FOUND.
   */
  async prepare(ref: SessionRef, content: FileContent, files: FileCall): Promise<SentFileContent> {
    const call = inTime(files);
    if (content.type !== 'album') {
      const file = await this.#file(ref, content.type, content.file, call);
      return sentFileContentSchema.parse({ ...content, file });
    }
    const items: unknown[] = [];
    for (const item of content.items) {
      items.push({ ...item, file: await this.#file(ref, item.type, item.file, call) });
    }
    return sentFileContentSchema.parse({ type: 'album', items });
  }

  /**
   * The content of `post-file-status` for a status with a file.
   * @throws {WafleetError} as `prepare`.
   */
  async prepareStatus(ref: SessionRef, status: FileStatus, files: FileCall): Promise<SentStatus> {
    const file = await this.#file(ref, status.type, status.file, inTime(files));
    return sentStatusSchema.parse({ ...status, file });
  }

  async #file(ref: SessionRef, type: FileType, source: FileSource, call: FileCall): Promise<SentFile> {
    if (!('uploadId' in source)) return this.#uploads.upload(ref, { type, source }, call);
    const { uploadId } = source;
    const upload = await this.#records.get(ref, uploadId);
    if (upload === undefined) {
      throw new WafleetError('UPLOAD_NOT_FOUND', 'The session has no upload of this id, or it has expired.');
    }
    if (upload.type !== type) {
      const message = `The file was uploaded as ${upload.type}. Upload it again as ${type}.`;
      throw new WafleetError('UPLOAD_NOT_FOUND', message, { type: upload.type });
    }
    return { uploadId, sealed: upload.sealed };
  }
}

function inTime({ signal, received }: FileCall): FileCall {
  return { signal: AbortSignal.any([signal, AbortSignal.timeout(PREPARATION_MS)]), received };
}
