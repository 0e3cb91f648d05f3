import type { WafleetError } from '@wafleet/contract';
import { backoff } from '@wafleet/runtime';
import type { MessageOutcome } from '@wafleet/store';

/** Errors after which nothing was done, and which pass: the job waits. */
const WAITS: ReadonlySet<string> = new Set([
  ...['RATE_LIMITED', 'TOO_MANY_COMMANDS', 'INBOX_FULL', 'UNAVAILABLE'],
  ...['NO_WORKER', 'SESSION_NOT_OPEN', 'NOT_SUPPORTED'],
  ...['PACED', 'SENDS_PAUSED', 'ACCOUNT_RESTRICTED'],
]);
/** Errors after which the message may have been sent: it is sent again, under the same id. */
const MAY_BE_SENT: ReadonlySet<string> = new Set(['OUTCOME_UNKNOWN', 'INTERNAL']);

const waitMs = backoff({ baseMs: 1_000, capMs: 60_000, jitter: 0.5 });

/**
 * What an error of a try to send a message means for it and for its job. Any other error is WhatsApp's judgement, or the
 * message cannot be sent: it has failed.
 * @param waits how often the job has waited before it tried this message again.
 */
export function errorOutcome(error: WafleetError, waits: number): MessageOutcome {
  const { code, details = {} } = error;
  const described = error.describe();
  if (code === 'SESSION_NOT_FOUND' || (code === 'SESSION_NOT_OPEN' && details.reason === 'exported')) {
    return { outcome: 'abort', error: described };
  }
  if (MAY_BE_SENT.has(code)) return { outcome: 'retry', error: described, inMs: waitMs(waits) };
  if (!WAITS.has(code)) return { outcome: 'failed', error: described };
  const { retryAfterMs } = details;
  const known = typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? Math.ceil(retryAfterMs) : undefined;
  // What is known is the earliest time. If it proves too early again and again, the waits become longer.
  return { outcome: 'wait', error: described, inMs: Math.max(known ?? 0, waitMs(waits)) };
}
