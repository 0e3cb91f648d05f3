import { type UploadedMedia, uploadedMediaSchema } from '@wafleet/contract';
import { type Cipher, SealedValueError } from '../auth/cipher.js';
import { WorkerBoxes } from '../auth/worker-box.js';
import type { SessionRef } from '../redis/session-ref.js';
import { uploadPlace } from './upload-place.js';

/** Opens the files of uploads, on workers. */
export class UploadBoxes {
  readonly #boxes: WorkerBoxes;

  constructor(cipher: Cipher) {
    this.#boxes = new WorkerBoxes(cipher);
  }

  /**
   * @param sealed as `UploadRecords.get` gives it.
   * @throws {SealedValueError} if it is of another session or upload, was sealed with a key that is not used any more,
   * or is damaged.
   */
  open(ref: SessionRef, uploadId: string, sealed: string): UploadedMedia {
    const plain = this.#boxes.open(Buffer.from(sealed, 'base64'), uploadPlace(ref, uploadId));
    const { data } = uploadedMediaSchema.safeParse(JSON.parse(plain.toString()));
    if (data === undefined) throw new SealedValueError('the box of an upload has no file');
    return data;
  }
}
