import type { Cipher } from '../auth/cipher.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import type { SessionRef } from '../redis/session-ref.js';

/** The data to keep of a message, in the form in which it is sent to Redis. */
export interface SealedSecret {
  /** The message's id. */
  readonly id: string;
  readonly sealed: Buffer;
}

/** The sealed value's place. It differs from that of every credential, message and file. */
const placeOf = (messageId: string) => `secret ${messageId}`;

/** The secrets of one session's messages. */
export interface SecretsOfSession {
  /** Seals the secret of a message. `EventLog.append` stores it. */
  seal(id: string, plain: Uint8Array): SealedSecret;
  /**
   * Returns the first secret that was kept for this message id. Undefined if none was, or if it has expired.
   * @throws {SealedValueError}
   */
  find(id: string): Promise<Buffer | undefined>;
}

/**
 * The secrets and keys of messages, sealed, by the messages' ids. Later edits, reactions and comments are decrypted with
 * the secrets, and calls find messages by the keys. A message without a secret has a record too.
 * `EventLog.append` stores them in the step that appends the messages' events. A secret is kept for 7 to 14 days,
 * unless 10,000 later ones arrive. Each session has two hashes; the later one replaces the earlier one when it is full
 * or seven days old. A secret takes about 250 bytes of Redis, so a session takes at most 5 MB.
 */
export class MessageSecrets {
  readonly #redis: RedisConnection;
  readonly #cipher: Cipher;

  constructor(options: { redis: RedisConnection; cipher: Cipher }) {
    this.#redis = options.redis;
    this.#cipher = options.cipher;
  }

  ofSession(ref: SessionRef): SecretsOfSession {
    const scope = this.#cipher.sessionScope(ref);
    const [current = '', before = ''] = keys.secrets(ref);
    return {
      seal: (id, plain) => ({ id, sealed: scope.seal(plain, placeOf(id)) }),
      find: async (id) => {
        // Both are sent together and in this order, so that a secret that moves in between is found.
        const [found, earlier] = await Promise.all([
          this.#redis.hgetBuffer(current, id),
          this.#redis.hgetBuffer(before, id),
        ]);
        const sealed = found ?? earlier;
        return sealed === null ? undefined : scope.open(sealed, placeOf(id));
      },
    };
  }
}
