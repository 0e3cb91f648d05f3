interface BackoffOptions {
  /** The limit of the first wait, ms. More than 0. */
  readonly baseMs: number;
  /** The limit of the longest wait, ms. */
  readonly capMs: number;
  /**
   * The random share of each wait, from 0 to 1. 0: a wait is as long as its limit. 0.5: it is drawn from the upper half,
   * so it never is very short. 1, "full jitter": it is drawn from 0 up to the limit, which spreads callers out best.
   * Default: 0.
   */
  readonly jitter?: number;
}

/**
 * How long to wait before an attempt, in whole ms. The limit of the wait starts at `baseMs`, doubles with every attempt
 * and is at most `capMs`. The number of attempts is unlimited.
 * @param attempt counts from 0.
 * @param random where in the random share the wait lies, from 0 to 1. Default: a random number.
 */
export type Backoff = (attempt: number, random?: number) => number;

/**
 * Returns a capped exponential back-off. It keeps no state: the caller counts the attempts.
 * Source: Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog).
 */
export function backoff({ baseMs, capMs, jitter = 0 }: BackoffOptions): Backoff {
  return (attempt, random = Math.random()) =>
    Math.floor(Math.min(capMs, baseMs * 2 ** attempt) * (1 - jitter + jitter * random));
}
