import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';

/** What wrong admin tokens cost an address, in ms where it is a time. */
export interface AdminTokenWaits {
  /** Wrong tokens before the address has to wait. */
  readonly free: number;
  /** The first wait. Each further one is twice as long. */
  readonly firstMs: number;
  /** The longest wait for one token. */
  readonly longestMs: number;
  /** The longest wait that tokens tried at several edges add up to. */
  readonly longestOfAllMs: number;
  readonly rememberMs: number;
}

const countWrongKey = new Script('tenants/count-wrong-key', asNumber);
const countWrongAdminToken = new Script('tenants/count-wrong-admin-token', (reply) => {
  const [wrong, waitMs] = asList(reply).map(asNumber);
  return { wrong: wrong ?? 0, waitMs: waitMs ?? 0 };
});

/**
 * The wrong keys and admin tokens of each address at all edges together, so that guessing at many edges is not faster
 * than at one. It is touched when a guess was wrong, never for a right one. One call is one round trip. Rejects when
 * Redis does not answer.
 */
export class WrongGuesses {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /**
   * Counts a wrong key.
   * @returns how many tokens the bucket of the address has left; negative for what it owes.
   */
  countKey(address: string, rate: { cost: number; perSecond: number; burst: number }): Promise<number> {
    const { cost, perSecond, burst } = rate;
    return countWrongKey.run(this.#redis, [keys.wrongKeys(address)], [cost, perSecond, burst]);
  }

  /** Counts a wrong admin token. Resolves with how many there were, and how long the address has to wait, ms. */
  countAdminToken(address: string, waits: AdminTokenWaits): Promise<{ wrong: number; waitMs: number }> {
    const { free, firstMs, longestMs, longestOfAllMs, rememberMs } = waits;
    return countWrongAdminToken.run(
      this.#redis,
      [keys.wrongAdminTokens(address)],
      [free, firstMs, longestMs, longestOfAllMs, rememberMs],
    );
  }

  /** Forgets the wrong admin tokens of an address, which has shown the right one. */
  async forgetAdminTokens(address: string): Promise<void> {
    await this.#redis.del(keys.wrongAdminTokens(address));
  }
}
