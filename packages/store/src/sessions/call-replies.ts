import { createHash } from 'node:crypto';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { FencedScript } from '../redis/script.js';
import type { Fence } from '../redis/session-ref.js';

const noteCallReply = new FencedScript('sessions/note-call-reply', asNumber);

/** How long a caller is sent nothing more. */
const PAUSE_MS = 60 * 60 * 1000;
/** How many callers are sent a message in that time: an account that writes to many people at once is restricted. */
const CALLERS = 100;
const DIGEST_BYTES = 12;

/** Notes which callers a session has sent a message. Callers are kept as digests. */
export class CallReplies {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /**
   * Notes that a caller is about to be sent a message. Returns false, and notes nothing, if the caller was noted within
   * the last hour, or 100 others were. Notes outlive the session's worker.
   * @throws {FencedError}
   */
  async note(fence: Fence, caller: string): Promise<boolean> {
    const digest = createHash('sha256')
      .update(caller)
      .digest()
      .subarray(0, DIGEST_BYTES)
      .toString('base64url');
    const noted = await noteCallReply.run(
      this.#redis,
      keys.owner(fence),
      fence,
      [keys.callReplies(fence)],
      [digest, PAUSE_MS, CALLERS],
    );
    return noted === 1;
  }
}
