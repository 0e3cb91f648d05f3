import { LRUCache } from 'lru-cache';

/** How many tokens are added per second, and how many there are at most. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A bucket of tokens that refills over time. It starts full. */
export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #at = performance.now();

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#tokens = rate.burst;
  }

  /**
   * Takes `count` tokens if there are enough.
   * @returns 0 if they were taken, otherwise the ms until there are enough.
   */
  take(count = 1): number {
    const waitMs = this.wait(count);
    if (waitMs === 0) this.#tokens -= count;
    return waitMs;
  }

  /** Milliseconds until there are `count` tokens; 0 if there are now. */
  wait(count = 1): number {
    this.#refill();
    const missing = count - this.#tokens;
    return missing > 0 ? Math.ceil((missing * 1_000) / this.#rate.perSecond) : 0;
  }

  /** Takes `count` tokens, whether they are there or not. The debt is never more than a full bucket. */
  fine(count: number): void {
    this.#refill();
    this.#tokens = Math.max(this.#tokens - count, -this.#rate.burst);
  }

  /** Leaves at most this many tokens; the number may be negative. */
  lowerTo(tokens: number): void {
    this.#refill();
    this.#tokens = Math.min(this.#tokens, tokens);
  }

  #refill(): void {
    const now = performance.now();
    const { perSecond, burst } = this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) * perSecond) / 1_000);
    this.#at = now;
  }
}

/** A bucket for each name. Keeps at most `max` names: those used last. */
export class TokenBuckets {
  readonly #rate: Rate;
  readonly #buckets: LRUCache<string, TokenBucket>;

  constructor(rate: Rate, { max }: { max: number }) {
    this.#rate = rate;
    // After this time a bucket is full again, whatever it owed.
    const ttl = Math.ceil((2_000 * rate.burst) / rate.perSecond);
    this.#buckets = new LRUCache({ max, ttl, updateAgeOnGet: true });
  }

  of(name: string): TokenBucket {
    const known = this.#buckets.get(name);
    if (known !== undefined) return known;
    const bucket = new TokenBucket(this.#rate);
    this.#buckets.set(name, bucket);
    return bucket;
  }
}
