import { createHash } from 'node:crypto';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import type { SessionRef } from '../redis/session-ref.js';

/**
 * Six bytes in base64. With 20,000 known messages, a new one is mistaken for one of them once in 10,000,000,000 times.
 */
const DIGEST_LENGTH = 8;

/** Returns the digest that identifies a finished message. @param parts the parts of its key, in their order. */
export function digestOfMessage(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64').slice(0, DIGEST_LENGTH);
}

/** The digests of the messages that were known at one moment. */
export class KnownDigests {
  readonly #digests: string;

  constructor(digests: string) {
    this.#digests = digests;
  }

  has(digest: string): boolean {
    let at = this.#digests.indexOf(digest);
    // The match may consist of the end of one digest and the beginning of the next.
    while (at > 0 && at % DIGEST_LENGTH !== 0) at = this.#digests.indexOf(digest, at + 1);
    return at >= 0;
  }

  /** The latest of them, oldest first. */
  latest(count: number): string[] {
    const digests = this.#digests.slice(-count * DIGEST_LENGTH);
    return Array.from({ length: digests.length / DIGEST_LENGTH }, (_, index) =>
      digests.slice(index * DIGEST_LENGTH, (index + 1) * DIGEST_LENGTH),
    );
  }
}

/**
 * Knows which of a session's messages are finished, that is, have their events in the log. `EventLog.append` notes it
 * in the step that appends the events. A message is known for 24 to 48 hours, unless 10,000 later ones arrive. Each
 * session has two strings; the later one replaces the earlier one when it is full or a day old.
 */
export class ProcessedMessages {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** At most 20,000 of them, 160 KB. */
  async read(ref: SessionRef): Promise<KnownDigests> {
    const parts = await this.#redis.mget(...keys.finished(ref));
    // The first string has the later digests.
    return new KnownDigests(parts.reverse().join(''));
  }
}
