import { createHash } from 'node:crypto';
import { mediaFileSchema } from '@wafleet/contract';
import { z } from 'zod';
import type { Cipher } from '../auth/cipher.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asBufferOrNull, asNumber } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import type { Fence, SessionRef } from '../redis/session-ref.js';

const putMedia = new FencedScript('messages/put-media', asNumber);
const getMessage = new Script('messages/get-message', asBufferOrNull);

/** Bounds the memory that a flood of files takes in Redis. Each takes about half a kilobyte. */
const FILES_PER_DAY = 20_000;
/** One script blocks Redis for about a millisecond. */
const FILES_PER_WRITE = 100;
const AUTHOR_BYTES = 16;

const receivedFileSchema = z.object({
  /** WhatsApp's key of the message. */
  key: z.object({
    id: z.string(),
    remoteJid: z.string(),
    fromMe: z.boolean(),
    participant: z.string().optional(),
  }),
  file: mediaFileSchema,
});

/** A file and the message that contained it. */
export type ReceivedFile = z.infer<typeof receivedFileSchema>;

/** The sealed value's place. It differs from that of every credential and message. */
const placeOf = (messageId: string) => `media ${messageId}`;

/** Identifies the author and the chat of a message. */
function authorOf({ remoteJid, participant, fromMe }: ReceivedFile['key']): Buffer {
  const author = JSON.stringify([remoteJid, participant ?? '', fromMe]);
  return createHash('sha256').update(author).digest().subarray(0, AUTHOR_BYTES);
}

/**
 * The file descriptions in a session's messages of the last 7 to 8 days, sealed, by the messages' ids. Senders choose
 * the ids. If two messages have the same id, the first one keeps it, so that no sender can replace another one's file.
 * At most 20,000 files of a day are kept.
 */
export class ReceivedMedia {
  readonly #redis: RedisConnection;
  readonly #cipher: Cipher;

  constructor(options: { redis: RedisConnection; cipher: Cipher }) {
    this.#redis = options.redis;
    this.#cipher = options.cipher;
  }

  /** Stores files. A later file of a message replaces its earlier one. @throws {FencedError} */
  async put(fence: Fence, files: readonly ReceivedFile[]): Promise<void> {
    const scope = this.#cipher.sessionScope(fence);
    for (let from = 0; from < files.length; from += FILES_PER_WRITE) {
      const values = files.slice(from, from + FILES_PER_WRITE).flatMap((received) => {
        const { id } = received.key;
        return [id, authorOf(received.key), scope.seal(Buffer.from(JSON.stringify(received)), placeOf(id))];
      });
      await putMedia.run(this.#redis, keys.owner(fence), fence, keys.media(fence), [
        FILES_PER_DAY,
        ...values,
      ]);
    }
  }

  /** Returns undefined if no such message with a file arrived recently. @throws {SealedValueError} */
  async get(ref: SessionRef, messageId: string): Promise<ReceivedFile | undefined> {
    const value = await getMessage.run(this.#redis, keys.media(ref), [messageId], { binary: true });
    if (value === null) return undefined;
    const plain = this.#cipher.sessionScope(ref).open(value.subarray(AUTHOR_BYTES), placeOf(messageId));
    return receivedFileSchema.parse(JSON.parse(plain.toString()));
  }
}
