import { inspect } from 'node:util';

export interface WaitOptions {
  /** What is waited for, as a phrase. The error message begins with it. */
  what: string;
  /** Time limit in ms. Default: 30,000. */
  timeoutMs?: number;
  /** Time between two checks in ms. Default: 20. */
  intervalMs?: number;
}

type Falsy = undefined | null | false | 0 | '';

/**
 * Checks repeatedly until `condition` returns a truthy value, and resolves with that value.
 *
 * A condition that throws counts as not met. Rejects after `timeoutMs` with an error that contains what was waited for
 * and what the last check returned or threw.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs = 30_000, intervalMs = 20 }: WaitOptions,
): Promise<Exclude<T, Falsy>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const look = await lookOnce(condition);
    if ('met' in look) return look.met;
    if (Date.now() >= deadline) {
      throw new Error(`${what}: not within ${timeoutMs} ms; ${look.last}`, { cause: look.cause });
    }
    await new Promise((next) => setTimeout(next, intervalMs));
  }
}

type Look<T> = { met: Exclude<T, Falsy> } | { last: string; cause: unknown };

async function lookOnce<T>(condition: () => T | Promise<T>): Promise<Look<T>> {
  try {
    const value = await condition();
    if (isTruthy(value)) return { met: value };
    return { last: `the last look gave ${inspect(value)}`, cause: undefined };
  } catch (error) {
    const message = error instanceof Error ? error.message : inspect(error);
    return { last: `the last look threw: ${message}`, cause: error };
  }
}

function isTruthy<T>(value: T): value is Exclude<T, Falsy> {
  return Boolean(value);
}
