import {
  MAX_UPLOADS,
  UPLOAD_LIFE_MS,
  type Upload,
  type UploadedMedia,
  uploadSchema,
  WafleetError,
} from '@wafleet/contract';
import { z } from 'zod';
import { sealForWorkers } from '../auth/worker-box.js';
import { readWorkerBoxKey } from '../auth/worker-box-key.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { SessionRef } from '../redis/session-ref.js';
import { notFound } from '../sessions/session-directory.js';
import { uploadPlace } from './upload-place.js';

const putUpload = new Script('uploads/put-upload', asNumber);
const getUpload = new Script('uploads/get-upload', (reply) => asList(reply).map(asText));

const recordSchema = uploadSchema.omit({ expiresAt: true }).extend({ sealed: z.base64() });

/** An upload, and its file, sealed for workers: base64. */
export interface StoredUpload extends Upload {
  readonly sealed: string;
}

/**
 * The files that a session has uploaded to send them many times, for processes that cannot open secrets. The location
 * and the key of a file are sealed for workers. A session has at most 1,000 uploads, for seven days each.
 */
export class UploadRecords {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /**
   * Stores an upload, in place of one of the same id.
   * @throws {WafleetError} SESSION_NOT_FOUND; TOO_MANY_UPLOADS; UNAVAILABLE if no worker has published its key.
   */
  async put(ref: SessionRef, shown: Omit<Upload, 'expiresAt'>, file: UploadedMedia): Promise<Upload> {
    const publicKey = await readWorkerBoxKey(this.#redis);
    const plain = Buffer.from(JSON.stringify(file));
    const sealed = sealForWorkers(publicKey, plain, uploadPlace(ref, shown.uploadId)).toString('base64');
    const record = JSON.stringify({ ...shown, sealed });
    const ends = await putUpload.run(
      this.#redis,
      [keys.session(ref), ...keys.uploads(ref)],
      [shown.uploadId, record, UPLOAD_LIFE_MS, MAX_UPLOADS],
    );
    if (ends === 0) throw notFound(ref);
    if (ends < 0) {
      const message = `The session has ${MAX_UPLOADS} uploads already. Delete some.`;
      throw new WafleetError('TOO_MANY_UPLOADS', message, { resource: 'uploads', limit: MAX_UPLOADS });
    }
    return { ...shown, expiresAt: new Date(ends).toISOString() };
  }

  /** Returns undefined if there is none of this id, or if it cannot be read. */
  async get(ref: SessionRef, uploadId: string): Promise<StoredUpload | undefined> {
    const [text = '', ends] = await getUpload.run(this.#redis, keys.uploads(ref), [uploadId]);
    const record = recordSchema.safeParse(parsed(text)).data;
    return record && { ...record, expiresAt: new Date(Number(ends)).toISOString() };
  }

  /** Returns whether there was such an upload. Its file stays with WhatsApp for some weeks. */
  async delete(ref: SessionRef, uploadId: string): Promise<boolean> {
    const isThere = (await this.get(ref, uploadId)) !== undefined;
    const [uploads = '', ends = ''] = keys.uploads(ref);
    if (isThere) await Promise.all([this.#redis.hdel(uploads, uploadId), this.#redis.zrem(ends, uploadId)]);
    return isThere;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
