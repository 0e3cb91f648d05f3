import { ERRORS, type ErrorCode, WafleetError } from '@wafleet/contract';
import { expect, it } from 'vitest';
import { errorOutcome } from './what-an-error-does.js';

const outcomeOf = (code: ErrorCode, details?: Readonly<Record<string, unknown>>, waits = 0) =>
  errorOutcome(new WafleetError(code, 'It failed.', details), waits);

it.each([
  ...(['RATE_LIMITED', 'TOO_MANY_COMMANDS', 'INBOX_FULL', 'UNAVAILABLE'] as const),
  ...(['NO_WORKER', 'SESSION_NOT_OPEN', 'NOT_SUPPORTED'] as const),
])('%s delays the job, and costs the message no try', (code) => {
  expect(outcomeOf(code)).toMatchObject({ outcome: 'wait', error: { code } });
});

it.each(['OUTCOME_UNKNOWN', 'INTERNAL'] as const)('after %s the message is tried again', (code) => {
  expect(outcomeOf(code)).toMatchObject({ outcome: 'retry' });
});

it.each(['RECIPIENT_NOT_FOUND', 'WHATSAPP_REFUSED', 'MESSAGE_NOT_FOUND', 'MESSAGE_UNSUITABLE'] as const)(
  '%s fails the message alone',
  (code) => expect(outcomeOf(code)).toMatchObject({ outcome: 'failed', error: { code } }),
);

it('a session that is gone, or was handed out, fails the job', () => {
  expect(outcomeOf('SESSION_NOT_FOUND')).toMatchObject({ outcome: 'abort' });
  expect(outcomeOf('SESSION_NOT_OPEN', { reason: 'exported' })).toMatchObject({ outcome: 'abort' });
  expect(outcomeOf('SESSION_NOT_OPEN', { reason: 'logout' })).toMatchObject({ outcome: 'wait' });
});

it('the waits become longer, up to a minute, and are no shorter than the error says', () => {
  const waitOf = (waits: number, retryAfterMs?: unknown) => {
    const { inMs } = { inMs: 0, ...outcomeOf('NO_WORKER', { retryAfterMs }, waits) };
    return inMs;
  };
  expect(waitOf(0)).toBeLessThanOrEqual(1_000);
  expect(waitOf(20)).toBeGreaterThanOrEqual(30_000);
  expect(waitOf(20)).toBeLessThanOrEqual(60_000);
  expect(waitOf(0, 3_600_000)).toBe(3_600_000);
  expect(waitOf(20, 10)).toBeGreaterThanOrEqual(30_000);
  expect(waitOf(0, 'soon')).toBeLessThanOrEqual(1_000);
});

it('every error of the registry means something', () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) expect(outcomeOf(code).outcome).not.toBe('sent');
});
