import type { WorkerState } from '@wafleet/store';
import { expect, test } from 'vitest';
import { RecentAssignments } from './recent-assignments.js';

function worker(id: string, at: number, sessions: number): WorkerState {
  return { id, release: '1.0.0', capacity: 10, sessions, draining: false, at, ageMs: 0, host: 'host' };
}

test('assignments count until the next heartbeat of their worker', () => {
  const recent = new RecentAssignments();
  const [one, other] = [worker('wrk_one', 1_000, 3), worker('wrk_other', 1_000, 3)];
  recent.record(one);
  recent.record(one);
  expect(recent.addTo([one, other]).map(({ sessions }) => sessions)).toEqual([5, 3]);

  const reported = worker('wrk_one', 3_000, 5);
  expect(recent.addTo([reported]).map(({ sessions }) => sessions)).toEqual([5]);
  recent.record(reported);
  expect(recent.addTo([reported]).map(({ sessions }) => sessions)).toEqual([6]);
});

test('a worker that is gone is forgotten', () => {
  const recent = new RecentAssignments();
  const one = worker('wrk_one', 1_000, 3);
  recent.record(one);
  recent.addTo([]);
  expect(recent.addTo([one])).toEqual([one]);
});
