import { randomUUID } from 'node:crypto';
import { IDEMPOTENCY_LIFE_MS, limitError, type TenantLimits } from '@wafleet/contract';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { SessionRef } from '../redis/session-ref.js';
import { isWrongType } from '../redis/unreadable-records.js';

/** Names the record of an Idempotency-Key. */
export interface IdempotencyRecord {
  readonly tenantId: string;
  /** The session that the call is for. A purge of the session deletes the record. Undefined for calls of no session. */
  readonly sessionId?: string | undefined;
  /** Unique among the calls of the session, or of the tenant's calls of no session. */
  readonly digest: string;
}

/** How a call with an Idempotency-Key begins. */
export type IdempotencyClaim =
  /** This request is to act. Finish or release the claim with its token. */
  | { readonly outcome: 'claimed'; readonly token: string }
  /** A request with the key has ended with this answer. */
  | { readonly outcome: 'done'; readonly answer: string }
  /** A request with the key is being carried out. Its claim ends after `forMs` at the latest. */
  | { readonly outcome: 'running'; readonly forMs: number }
  /** A request with the key had another fingerprint. */
  | { readonly outcome: 'reused' };

type Claimed =
  | Exclude<IdempotencyClaim, { outcome: 'claimed' }>
  | { readonly outcome: 'claimed' }
  | {
      readonly outcome: 'full';
      readonly used: number;
      readonly limit: number;
      readonly retryAfterMs: number;
    };

const claimRecord = new Script('idempotency/claim-record', (reply): Claimed => {
  const [outcome, first, second, third] = asList(reply);
  switch (asText(outcome)) {
    case 'done':
      return { outcome: 'done', answer: asText(first) };
    case 'running':
      return { outcome: 'running', forMs: asNumber(first) };
    case 'reused':
      return { outcome: 'reused' };
    case 'full':
      return {
        outcome: 'full',
        used: asNumber(first),
        limit: asNumber(second),
        retryAfterMs: asNumber(third),
      };
    default:
      return { outcome: 'claimed' };
  }
});
const finishRecord = new Script('idempotency/finish-record', asNumber);
const releaseRecord = new Script('idempotency/release-record', asNumber);

function nameOf({ sessionId = '', digest }: IdempotencyRecord): string {
  return `${sessionId}/${digest}`;
}

/**
 * Which calls with an Idempotency-Key are being carried out or have ended, for all edges. Each transition is one script.
 * A claim ends by itself, so that a retry can act after the edge of the first request died; its token keeps a late
 * answer of that edge out. A record is kept for 24 hours after the last request that acted. All methods reject if Redis
 * does not answer.
 */
export class IdempotencyRecords {
  readonly #redis: RedisConnection;
  readonly #defaults: Pick<TenantLimits, 'idempotencyKeys'>;

  /** @param limits.defaults the limits of tenants that have none of their own. */
  constructor(
    redis: RedisConnection,
    { defaults }: { readonly defaults: Pick<TenantLimits, 'idempotencyKeys'> },
  ) {
    this.#redis = redis;
    this.#defaults = defaults;
  }

  /**
   * Begins a call.
   * @param fingerprint of what the request asks for: the same for each retry.
   * @param claimMs after which time another request may act, if this one has not ended.
   * @throws {WafleetError} TOO_MANY_IDEMPOTENCY_KEYS, with `details` {resource, limit, used, retryAfterMs}.
   */
  async claim(record: IdempotencyRecord, fingerprint: string, claimMs: number): Promise<IdempotencyClaim> {
    const { tenantId } = record;
    const token = randomUUID();
    const claimed = await claimRecord.run(
      this.#redis,
      [...keysOf(record), keys.tenantLimits(tenantId)],
      [...[nameOf(record), fingerprint, token, claimMs, IDEMPOTENCY_LIFE_MS], this.#defaults.idempotencyKeys],
    );
    if (claimed.outcome === 'full') {
      throw limitError('idempotencyKeys', 'TOO_MANY_IDEMPOTENCY_KEYS', claimed);
    }
    return claimed.outcome === 'claimed' ? { outcome: 'claimed', token } : claimed;
  }

  /** Stores the answer for retries. Returns false, and stores nothing, if the claim has ended. */
  async finish(record: IdempotencyRecord, token: string, answer: string): Promise<boolean> {
    const args = [nameOf(record), token, answer, IDEMPOTENCY_LIFE_MS];
    return (await finishRecord.run(this.#redis, keysOf(record), args)) === 1;
  }

  /**
   * Ends a claim without an answer: a retry acts. Does nothing if the claim has ended.
   * @param mayHaveActed whether the record is kept, so that the key stays bound to its fingerprint.
   */
  async release(
    record: IdempotencyRecord,
    token: string,
    { mayHaveActed }: { readonly mayHaveActed: boolean },
  ): Promise<void> {
    await releaseRecord.run(this.#redis, keysOf(record), [nameOf(record), token, mayHaveActed ? '1' : '']);
  }
}

function keysOf(record: IdempotencyRecord): [record: string, ends: string] {
  const { tenantId } = record;
  return [keys.idempotency(tenantId, nameOf(record)), keys.idempotencyEnds(tenantId)];
}

/** How many records of a tenant one step looks at. */
const LOOK_AT_ONCE = 1_000;

/** Deletes the records of a session's calls. Those that cannot be found, because the index is damaged, expire. */
export async function forgetIdempotencyOf(
  redis: RedisConnection,
  { tenantId, sessionId }: SessionRef,
): Promise<void> {
  const ends = keys.idempotencyEnds(tenantId);
  let cursor = '0';
  do {
    const page = await redis
      .zscan(ends, cursor, 'MATCH', `${sessionId}/*`, 'COUNT', LOOK_AT_ONCE)
      .catch((error: unknown): [string, string[]] => {
        if (isWrongType(error)) return ['0', []];
        throw error;
      });
    cursor = page[0];
    const names = page[1].filter((_, index) => index % 2 === 0);
    if (names.length === 0) continue;
    await redis.unlink(...names.map((name) => keys.idempotency(tenantId, name)));
    await redis.zrem(ends, ...names);
  } while (cursor !== '0');
}
