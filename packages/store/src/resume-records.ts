import { createHash } from 'node:crypto';
import { type EventPosition, formatEventId, parseEventId } from '@wafleet/contract';
import type { RedisConnection } from './connection.js';
import { keys } from './keyspace.js';
import { asNumber } from './reply.js';
import { Script } from './script.js';

/** What a client that reconnects goes on with. */
export interface ResumeRecord {
  /** The API key that the client had. */
  readonly keyId: string;
  /** As it was given to `save`. */
  readonly subscription: string;
  /** Everything up to here has arrived at the client. */
  readonly position: EventPosition;
}

/** Who resumes: the tenant of its API key, and the secret that it was given when it first connected. */
export interface ResumeRef {
  readonly tenantId: string;
  readonly secret: string;
}

const saveResume = new Script('save-resume', asNumber);
const advanceResume = new Script('advance-resume', asNumber);

function keyOf({ tenantId, secret }: ResumeRef): string {
  return keys.resume(tenantId, createHash('sha256').update(secret).digest('base64url'));
}

/**
 * What clients are subscribed to and how far they have got, for whichever edge they come back to. A record is found
 * by a secret that only its client knows, of which a hash is stored; it stands under the tenant, so that the secret of
 * another tenant's client finds nothing. It is kept for `lifeMs` after the last write.
 */
export class ResumeRecords {
  readonly #redis: RedisConnection;
  readonly #lifeMs: number;

  constructor(redis: RedisConnection, options: { lifeMs: number }) {
    this.#redis = redis;
    this.#lifeMs = options.lifeMs;
  }

  /** Writes what a client is subscribed to and how far it has got, whatever stands there. */
  async save(ref: ResumeRef, { keyId, subscription, position }: ResumeRecord): Promise<void> {
    await saveResume.run(
      this.#redis,
      [keyOf(ref)],
      [this.#lifeMs, keyId, subscription, formatEventId(position)],
    );
  }

  /** Moves the position of a record that exists; it may move back. */
  async advance(ref: ResumeRef, position: EventPosition): Promise<void> {
    await advanceResume.run(this.#redis, [keyOf(ref)], [this.#lifeMs, formatEventId(position)]);
  }

  async find(ref: ResumeRef): Promise<ResumeRecord | undefined> {
    const { key, subscription, position } = await this.#redis.hgetall(keyOf(ref));
    const parsed = parseEventId(position ?? '');
    if (key === undefined || subscription === undefined || parsed === undefined) return undefined;
    return { keyId: key, subscription, position: parsed };
  }

  async delete(ref: ResumeRef): Promise<void> {
    await this.#redis.del(keyOf(ref));
  }
}
