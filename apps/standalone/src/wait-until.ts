import { StartError } from '@wafleet/runtime';
import { pause } from './loop.js';

const LOOK_MS = 200;

/**
 * Calls `look` repeatedly until it returns a value, and resolves to that value.
 * @throws {StartError} with `what` in it if it takes too long; an AbortError as soon as the signal is aborted.
 */
export async function waitUntil<T>(
  look: () => Promise<T | undefined>,
  options: { what: string; timeoutMs: number; signal: AbortSignal },
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    options.signal.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) {
      throw new StartError(
        `${options.what} within ${options.timeoutMs / 1_000} s: not seen. LOG_LEVEL=info shows more.`,
      );
    }
    await pause(LOOK_MS, options.signal);
  }
}
