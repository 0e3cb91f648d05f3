import { createHash } from 'node:crypto';
import { mediaFileSchema } from '@wafleet/contract';
import { z } from 'zod';
import type { Cipher } from '../auth/cipher.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asBufferOrNull, asNumber } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import type { Fence, SessionRef } from '../sessions/session-ref.js';

const putMedia = new FencedScript('messages/put-media', asNumber);
const getMessage = new Script('messages/get-message', asBufferOrNull);

/** Bounds what a flood of files costs in Redis, at about half a kilobyte each. */
const FILES_PER_DAY = 20_000;
/** One script blocks Redis for about a millisecond. */
const FILES_PER_WRITE = 100;
const AUTHOR_BYTES = 16;

const receivedFileSchema = z.object({
  /** The message, as WhatsApp names it. */
  key: z.object({
    id: z.string(),
    remoteJid: z.string(),
    fromMe: z.boolean(),
    participant: z.string().optional(),
  }),
  file: mediaFileSchema,
});

/** A file and the message that it came with. */
export type ReceivedFile = z.infer<typeof receivedFileSchema>;

/** The sealed value's place: differs from that of any credential and message. */
const placeOf = (messageId: string) => `media ${messageId}`;

/** Tells whose a message is, in which chat. */
function authorOf({ remoteJid, participant, fromMe }: ReceivedFile['key']): Buffer {
  const author = JSON.stringify([remoteJid, participant ?? '', fromMe]);
  return createHash('sha256').update(author).digest().subarray(0, AUTHOR_BYTES);
}

/**
 * What a session's messages of the last 7 to 8 days say of their files, sealed, by the messages' ids. Ids are chosen by
 * senders: of two messages with one id the first keeps it, so that nobody can put a file in place of another's. At most
 * 20,000 files of a day are kept.
 */
export class ReceivedMedia {
  readonly #redis: RedisConnection;
  readonly #cipher: Cipher;

  constructor(options: { redis: RedisConnection; cipher: Cipher }) {
    this.#redis = options.redis;
    this.#cipher = options.cipher;
  }

  /** Keeps files, the later ones of a message in place of its earlier ones. @throws {FencedError} */
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

  /** Undefined when no such message, or none with a file, came lately. @throws {SealedValueError} */
  async get(ref: SessionRef, messageId: string): Promise<ReceivedFile | undefined> {
    const value = await getMessage.run(this.#redis, keys.media(ref), [messageId], { binary: true });
    if (value === null) return undefined;
    const plain = this.#cipher.sessionScope(ref).open(value.subarray(AUTHOR_BYTES), placeOf(messageId));
    return receivedFileSchema.parse(JSON.parse(plain.toString()));
  }
}
