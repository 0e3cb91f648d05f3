import type { Cipher } from './cipher.js';
import type { RedisConnection } from './connection.js';
import { keys } from './keyspace.js';
import { asBufferOrNull, asNumber } from './reply.js';
import { FencedScript, Script } from './script.js';
import type { Fence, SessionRef } from './session-ref.js';

const putMessage = new FencedScript('put-message', asNumber);
const getMessage = new Script('get-message', asBufferOrNull);

/** The sealed value's place: differs from that of any credential. */
const placeOf = (key: string) => `message ${key}`;

/**
 * The messages that a session sent lately, sealed, for 7 to 8 days: a receiver that could not decrypt one asks for it
 * again, and stays on "waiting for this message" unless it is still there.
 */
export class RecentMessages {
  readonly #redis: RedisConnection;
  readonly #cipher: Cipher;

  constructor(options: { redis: RedisConnection; cipher: Cipher }) {
    this.#redis = options.redis;
    this.#cipher = options.cipher;
  }

  /** @param key names the message within its session. @throws {FencedError} */
  async put(fence: Fence, key: string, message: Uint8Array): Promise<void> {
    const sealed = this.#cipher.sessionScope(fence).seal(message, placeOf(key));
    await putMessage.run(this.#redis, keys.owner(fence), fence, keys.messages(fence), [key, sealed]);
  }

  /** The message; undefined when it was never kept or is too old. @throws {SealedValueError} */
  async get(ref: SessionRef, key: string): Promise<Buffer | undefined> {
    const sealed = await getMessage.run(this.#redis, keys.messages(ref), [key], { binary: true });
    return sealed === null ? undefined : this.#cipher.sessionScope(ref).open(sealed, placeOf(key));
  }
}
