import type { Cipher } from '../auth/cipher.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import type { SessionRef } from '../sessions/session-ref.js';

/** What is to be kept of a message, as it goes to Redis. */
export interface SealedSecret {
  /** The message's id. */
  readonly id: string;
  readonly sealed: Buffer;
}

/** The sealed value's place: differs from that of any credential, message and file. */
const placeOf = (messageId: string) => `secret ${messageId}`;

/** The secrets of one session's messages. */
export interface SecretsOfSession {
  /** Seals what is kept of a message. `EventLog.append` stores it. */
  seal(id: string, plain: Uint8Array): SealedSecret;
  /** What was kept first of a message of this id; undefined if nothing was, or too long ago. @throws {SealedValueError} */
  find(id: string): Promise<Buffer | undefined>;
}

/**
 * The secrets of messages, sealed, by the messages' ids: with them the edits, reactions and comments are opened that come
 * later. `EventLog.append` keeps them in the step that appends the messages' events. A secret is kept for 7 to 14 days,
 * unless 10,000 later ones came: two hashes per session; the later one takes the earlier one's place when it is
 * full or seven days old. A secret takes about 250 bytes of Redis: 5 MB a session at most.
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
        // Both are sent together and in this order, so a secret that moves in between is found.
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
