const BASE_MS = 1_000;
const CAP_MS = 120_000;

/**
 * How long to wait before the next attempt, ms: full jitter, any time from 0 to 1 s doubled with every attempt,
 * at most 2 minutes. `attempt` counts from 0; `random` is from [0, 1). There is no last attempt.
 * Source: Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog).
 */
export function backOffMs(attempt: number, random: number): number {
  return Math.floor(random * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 30)));
}
