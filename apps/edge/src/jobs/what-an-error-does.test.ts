import { ERRORS, type ErrorCode, WafleetError } from '@wafleet/contract';
import { expect, it } from 'vitest';
import { errorOutcome } from './what-an-error-does.js';

const outcomeOf = (code: ErrorCode, details?: Readonly<Record<string, unknown>>, waits = 0) =>
  errorOutcome(new WafleetError(code, 'It failed.', details), waits);

it.each([
  ...(['RATE_LIMITED', 'TOO_MANY_COMMANDS', 'INBOX_FULL', 'UNAVAILABLE'] as const),
  ...([
    'NO_WORKER',
    'SESSION_NOT_OPEN',
    'NOT_SUPPORTED',
    'TOO_MANY_UPLOADS',
    'PACED',
    'SENDS_PAUSED',
  ] as const),
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

it('a file that WhatsApp does not take delays the job a few times, and then fails the message', () => {
  const outcomes = Array.from({ length: 5 }, (_, waits) => outcomeOf('UPLOAD_FAILED', {}, waits).outcome);
  expect(outcomes).toEqual(['wait', 'wait', 'wait', 'failed', 'failed']);
});

it('a session that is gone, or was handed out, fails the job', () => {
  expect(outcomeOf('SESSION_NOT_FOUND')).toMatchObject({ outcome: 'abort' });
  expect(outcomeOf('SESSION_NOT_OPEN', { reason: 'exported' })).toMatchObject({ outcome: 'abort' });
  expect(outcomeOf('SESSION_NOT_OPEN', { reason: 'logout' })).toMatchObject({ outcome: 'wait' });
});

const MINUTE_MS = 60_000;

it('a restricted account is left alone until WhatsApp ends the lock', () => {
  const until = new Date(Date.now() + 300 * MINUTE_MS).toISOString();
  for (const waits of [0, 5]) {
    const { inMs } = { inMs: 0, ...outcomeOf('ACCOUNT_RESTRICTED', { code: 463, until }, waits) };
    expect(inMs).toBeGreaterThan(299 * MINUTE_MS);
    expect(inMs).toBeLessThanOrEqual(300 * MINUTE_MS);
  }
  // A lock that has just ended, or a time that cannot be read, leads to no hail of tries.
  for (const past of [new Date(Date.now() - 1_000).toISOString(), 'soon', 7]) {
    const { outcome, inMs } = { inMs: 0, ...outcomeOf('ACCOUNT_RESTRICTED', { until: past }) };
    expect(outcome).toBe('wait');
    expect(inMs).toBeGreaterThanOrEqual(15 * MINUTE_MS);
  }
});

it('a person who may not be written to holds up the others for a while only', () => {
  const first = outcomeOf('ACCOUNT_RESTRICTED', { code: 463 });
  expect(first).toMatchObject({ outcome: 'wait', inMs: 15 * MINUTE_MS });
  expect(outcomeOf('ACCOUNT_RESTRICTED', { code: 463 }, 1)).toMatchObject({ outcome: 'failed' });
});

it('a message whose addressing is out of date is tried again some times', () => {
  for (const waits of [0, 1, 2]) {
    expect(outcomeOf('ADDRESSING_OUTDATED', {}, waits)).toMatchObject({ outcome: 'wait' });
  }
  expect(outcomeOf('ADDRESSING_OUTDATED', {}, 3)).toMatchObject({ outcome: 'failed' });
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
