import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { sessionIdSchema, tenantIdSchema } from '@wafleet/contract';
import { z } from 'zod';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { FencedScript } from '../redis/script.js';
import type { Fence, SessionRef } from '../redis/session-ref.js';

/** The longest text that is looked up. A token has 43 characters. */
const MAX_TOKEN_LENGTH = 100;

const deleteKeys = new FencedScript('redis/delete-keys', asNumber);
const shorten = new FencedScript('sessions/shorten-passkey-link', asNumber);

const recordSchema = z
  .string()
  .transform((text) => {
    try {
      const record: unknown = JSON.parse(text);
      return record;
    } catch {
      return undefined;
    }
  })
  .pipe(z.object({ hash: z.string(), tenantId: tenantIdSchema, sessionId: sessionIdSchema }));

/**
 * The tokens with which a person without an API key uses a passkey for one session. A session has one at most. Redis has
 * only the hash of a token, as it has of API keys: it is found by the first half, and proven by the whole.
 */
export class PasskeyLinks {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /**
   * Makes a token for a session, and ends the earlier one.
   * @param expiresAt ms since 1970.
   * @returns the token, which cannot be read again.
   */
  async create(ref: SessionRef, expiresAt: number): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    const { lookup, hash } = hashOf(token);
    const lifeMs = Math.max(1, Math.ceil(expiresAt - Date.now()));
    const record = JSON.stringify({ hash, tenantId: ref.tenantId, sessionId: ref.sessionId });
    await this.#redis.set(keys.passkeyToken(lookup), record, 'PX', lifeMs);
    await this.#redis.set(keys.passkeyLink(ref), hash, 'PX', lifeMs);
    return token;
  }

  /** The session that a token is for; undefined if it is unknown, has expired or was ended. */
  async find(token: string): Promise<SessionRef | undefined> {
    if (token.length > MAX_TOKEN_LENGTH) return undefined;
    const { lookup, hash } = hashOf(token);
    const { data } = recordSchema.safeParse(await this.#redis.get(keys.passkeyToken(lookup)));
    if (data === undefined || !isSame(data.hash, hash)) return undefined;
    const ref = { tenantId: data.tenantId, sessionId: data.sessionId };
    const current = await this.#redis.get(keys.passkeyLink(ref));
    return current !== null && isSame(current, hash) ? ref : undefined;
  }

  /** Ends the token of a session, if it has one, after this time at the latest, ms. @throws {FencedError} */
  async endWithin(fence: Fence, ms: number): Promise<void> {
    await shorten.run(this.#redis, keys.owner(fence), fence, [keys.passkeyLink(fence)], [ms]);
  }

  /** Ends the token of a session, if it has one. @throws {FencedError} */
  async end(fence: Fence): Promise<void> {
    await deleteKeys.run(this.#redis, keys.owner(fence), fence, [keys.passkeyLink(fence)], []);
  }
}

function hashOf(token: string): { readonly lookup: string; readonly hash: string } {
  const hash = createHash('sha256').update(token).digest('hex');
  return { lookup: hash.slice(0, hash.length / 2), hash };
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
