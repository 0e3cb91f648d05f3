import type { SessionRecord } from '@wafleet/store';
import { expect, test } from 'vitest';
import { needsWorkerNow } from './needs-worker.js';

test('a removal that was put off is due by the clock of Redis, whatever the clock of this machine shows', () => {
  const ref = { tenantId: 'tnt_a', sessionId: 'a' };
  const removed: SessionRecord = { ...ref, desired: 'open', status: 'queued', since: 1, createdAt: 1 };
  const dueAt = (removeAfter: number, readAt: number) =>
    needsWorkerNow({ ...removed, removeBy: removeAfter + 1, removeAfter, readAt });
  const now = Date.now();
  expect(dueAt(now - 1_000, now - 2_000)).toBe(false);
  expect(dueAt(now + 600_000, now + 600_000)).toBe(true);
});
