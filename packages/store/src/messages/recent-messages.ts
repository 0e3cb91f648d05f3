import type { Cipher } from '../auth/cipher.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asBufferOrNull, asNumber } from '../redis/reply.js';
import { FencedScript, Script } from '../redis/script.js';
import type { Fence, SessionRef } from '../redis/session-ref.js';

const putMessage = new FencedScript('messages/put-message', asNumber);
const getMessage = new Script('messages/get-message', asBufferOrNull);

/** The sealed value's place. It differs from that of every credential. */
const placeOf = (key: string) => `message ${key}`;

/** Prevents one session from filling Redis. */
const MESSAGES_PER_DAY = 100_000;

/**
 * Messages of a session that may be needed days later, sealed, kept for 7 to 8 days. They include messages that it
 * sent: a receiver that could not decrypt one requests it again, and shows "waiting for this message" permanently if it
 * is gone. They also include the parts of received messages that are needed to read the answers to them.
 */
export class RecentMessages {
  readonly #redis: RedisConnection;
  readonly #cipher: Cipher;

  constructor(options: { redis: RedisConnection; cipher: Cipher }) {
    this.#redis = options.redis;
    this.#cipher = options.cipher;
  }

  /**
   * Stores a message, unless this day's maximum number of messages is stored already.
   * @param key identifies the message within its session.
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

  /** Returns the message. Undefined if it was never stored or is too old. @throws {SealedValueError} */
  async get(ref: SessionRef, key: string): Promise<Buffer | undefined> {
    const sealed = await getMessage.run(this.#redis, keys.messages(ref), [key], { binary: true });
    return sealed === null ? undefined : this.#cipher.sessionScope(ref).open(sealed, placeOf(key));
  }
}
