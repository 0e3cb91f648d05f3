const BASE_MS = 1_000;
const CAP_MS = 120_000;

/**
 * Returns how long to wait before the next attempt, ms. Full jitter: a random time from 0 up to a limit that starts at
 * 1 s, doubles with every attempt and is at most 2 minutes. `attempt` counts from 0; `random` is from [0, 1). The
 * number of attempts is unlimited.
 * Source: Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog).
 */
export function backOffMs(attempt: number, random: number): number {
  return Math.floor(random * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 30)));
}
