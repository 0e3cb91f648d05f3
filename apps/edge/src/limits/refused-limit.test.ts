import { type ErrorCode, limitError, WafleetError } from '@wafleet/contract';
import { expect, test } from 'vitest';
import { EdgeCounters } from '../wiring/metrics.js';
import { LIMITS } from './client-limits.js';
import { refusedLimit } from './refused-limit.js';

test.each([
  ['of a full inbox', new WafleetError('INBOX_FULL', 'full', { resource: 'inbox' }), 'inbox'],
  [
    'of a list that is too long',
    new WafleetError('TOO_MANY_ITEMS', 'long', { limit: 1 }),
    'subscription_items',
  ],
  [
    'of a download of a tenant',
    limitError('mediaDownloads', 'TOO_MANY_DOWNLOADS', { limit: 1 }),
    'media_downloads',
  ],
] as const)('a refusal %s counts for its limit when it is answered', (_of, error, limit) => {
  const tally = new EdgeCounters();
  tally.countRefused(error);
  expect(LIMITS.filter((each) => tally.limited(each) > 0)).toEqual([limit]);
});

test('an error that is not of a limit, and one that is counted where it is found, count for nothing here', () => {
  const codes: ErrorCode[] = ['INTERNAL', 'UNAVAILABLE', 'RATE_LIMITED', 'TOO_MANY_SESSIONS'];
  expect(codes.map((code) => refusedLimit(new WafleetError(code, 'x')))).toEqual(codes.map(() => undefined));
});
