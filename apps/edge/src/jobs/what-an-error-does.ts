import type { WafleetError } from '@wafleet/contract';
import { backoff } from '@wafleet/runtime';
import type { MessageOutcome } from '@wafleet/store';

/** Errors after which nothing was done, and which pass: the job waits. */
const WAITS: ReadonlySet<string> = new Set([
  ...['RATE_LIMITED', 'TOO_MANY_COMMANDS', 'INBOX_FULL', 'UNAVAILABLE'],
  ...['NO_WORKER', 'SESSION_NOT_OPEN', 'NOT_SUPPORTED', 'TOO_MANY_UPLOADS'],
  ...['PACED', 'SENDS_PAUSED'],
]);
/** Errors after which nothing was done, and which may pass: the job waits a few times. */
const MAY_PASS: ReadonlySet<string> = new Set(['UPLOAD_FAILED']);
const MAY_PASS_WAITS = 3;
/** Errors after which the message may have been sent: it is sent again, under the same id. */
const MAY_BE_SENT: ReadonlySet<string> = new Set(['OUTCOME_UNKNOWN', 'INTERNAL']);

/** How often a message waits for the devices of its recipient to be known. */
const ADDRESSING_WAITS = 3;
/** How long an account that WhatsApp has refused is left alone at least: each try counts against it. */
const RESTRICTED_WAIT_MS = 15 * 60_000;

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
  if (code === 'ACCOUNT_RESTRICTED') return restricted(error, waits);
  if (code === 'ADDRESSING_OUTDATED' && waits < ADDRESSING_WAITS) {
    return { outcome: 'wait', error: described, inMs: waitMs(waits) };
  }
  if (MAY_BE_SENT.has(code)) return { outcome: 'retry', error: described, inMs: waitMs(waits) };
  const mayPass = MAY_PASS.has(code) && waits < MAY_PASS_WAITS;
  if (!WAITS.has(code) && !mayPass) return { outcome: 'failed', error: described };
  const { retryAfterMs } = details;
  const known = typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? Math.ceil(retryAfterMs) : undefined;
  // What is known is the earliest time. If it proves too early again and again, the waits become longer.
  return { outcome: 'wait', error: described, inMs: Math.max(known ?? 0, waitMs(waits)) };
}

/**
 * Waits for the end of a lock of the account. Without one WhatsApp may refuse this person alone: after one more try the
 * others have their turn.
 */
function restricted(error: WafleetError, waits: number): MessageOutcome {
  const described = error.describe();
  const { until } = error.details ?? {};
  if (until === undefined && waits > 0) return { outcome: 'failed', error: described };
  const lockedMs = typeof until === 'string' ? Date.parse(until) - Date.now() : 0;
  return { outcome: 'wait', error: described, inMs: Math.max(lockedMs || 0, RESTRICTED_WAIT_MS) };
}
