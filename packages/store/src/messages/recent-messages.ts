import type { Cipher } from '../auth/cipher.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asBufferOrNull, asNumber } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import type { Fence, SessionRef } from '../sessions/session-ref.js';

const putMessage = new FencedScript('messages/put-message', asNumber);
const getMessage = new Script('messages/get-message', asBufferOrNull);

/** The sealed value's place: differs from that of any credential. */
const placeOf = (key: string) => `message ${key}`;

/** So that nobody fills Redis through one session. */
const MESSAGES_PER_DAY = 100_000;

/**
 * Messages of a session that may be needed days later, sealed, for 7 to 8 days: those that it sent, since a receiver
 * that could not decrypt one asks for it again, and stays on "waiting for this message" unless it is still there; and of
 * those it received what their answers are read with.
 */
export class RecentMessages {
  readonly #redis: RedisConnection;
  readonly #cipher: Cipher;

  constructor(options: { redis: RedisConnection; cipher: Cipher }) {
    this.#redis = options.redis;
    this.#cipher = options.cipher;
  }

  /**
   * Keeps a message, unless so many were kept on this day.
   * @param key names the message within its session.
   * @throws {FencedError}
   */
  async put(
    fence: Fence,
    key: string,
    message: Uint8Array,
    { mostPerDay = MESSAGES_PER_DAY }: { mostPerDay?: number } = {},
  ): Promise<void> {
    const sealed = this.#cipher.sessionScope(fence).seal(message, placeOf(key));
    await putMessage.run(this.#redis, keys.owner(fence), fence, keys.messages(fence), [
      key,
      sealed,
      mostPerDay,
    ]);
  }

  /** The message; undefined when it was never kept or is too old. @throws {SealedValueError} */
  async get(ref: SessionRef, key: string): Promise<Buffer | undefined> {
    const sealed = await getMessage.run(this.#redis, keys.messages(ref), [key], { binary: true });
    return sealed === null ? undefined : this.#cipher.sessionScope(ref).open(sealed, placeOf(key));
  }
}
