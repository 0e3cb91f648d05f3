import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';

/** The waits that wrong admin tokens cause for an address. */
export interface AdminTokenWaits {
  /** Wrong tokens before the address has to wait. */
  readonly free: number;
  /** The first wait. Each further one is twice as long. */
  readonly firstMs: number;
  /** The longest wait for one token. */
  readonly longestMs: number;
  /** The longest total wait, to which tokens tried at several edges can add up. */
  readonly longestOfAllMs: number;
  readonly rememberMs: number;
}

const countWrongKey = new Script('tenants/count-wrong-key', asNumber);
const countWrongAdminToken = new Script('tenants/count-wrong-admin-token', (reply) => {
  const [wrong, waitMs] = asList(reply).map(asNumber);
  return { wrong: wrong ?? 0, waitMs: waitMs ?? 0 };
});

/**
 * Counts the wrong keys and admin tokens of each address at all edges together, so that guessing at many edges is not
 * faster than at one. Call it only for wrong guesses. One call is one round trip. Rejects if Redis does not answer.
 */
export class WrongGuesses {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /**
   * Counts a wrong key.
   * @returns how many tokens the bucket of the address has left. A negative number is a debt.
   */
  countKey(address: string, rate: { cost: number; perSecond: number; burst: number }): Promise<number> {
    const { cost, perSecond, burst } = rate;
    return countWrongKey.run(this.#redis, [keys.wrongKeys(address)], [cost, perSecond, burst]);
  }

  /** Counts a wrong admin token. Resolves to the number of wrong tokens and the wait of the address, ms. */
  countAdminToken(address: string, waits: AdminTokenWaits): Promise<{ wrong: number; waitMs: number }> {
    const { free, firstMs, longestMs, longestOfAllMs, rememberMs } = waits;
    return countWrongAdminToken.run(
      this.#redis,
      [keys.wrongAdminTokens(address)],
      [free, firstMs, longestMs, longestOfAllMs, rememberMs],
    );
  }

  /** Forgets the wrong admin tokens of an address. Call it when the address has sent the right one. */
  async forgetAdminTokens(address: string): Promise<void> {
    await this.#redis.del(keys.wrongAdminTokens(address));
  }
}
