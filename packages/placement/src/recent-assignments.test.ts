import type { WorkerState } from '@wafleet/store';
import { expect, test } from 'vitest';
import { RecentAssignments } from './recent-assignments.js';

function worker(id: string, at: number, sessions: number): WorkerState {
  const about = { release: '1.0.0', capacity: 10, draining: false, idlest: [], host: 'host' };
  return { ...about, id, sessions, at, ageMs: 0 };
}

function loads(recent: RecentAssignments, ...workers: WorkerState[]): number[] {
  return recent.addTo(workers).map(({ sessions }) => sessions);
}

test('assignments count until the next heartbeat of their worker', () => {
  const recent = new RecentAssignments();
  const [one, other] = [worker('wrk_one', 1_000, 3), worker('wrk_other', 1_000, 3)];
  recent.begin(one).succeeded(undefined);
  recent.begin(one).succeeded(undefined);
  expect(loads(recent, one, other)).toEqual([5, 3]);

  const reported = worker('wrk_one', 3_000, 5);
  expect(loads(recent, reported)).toEqual([5]);
  recent.begin(reported).succeeded(undefined);
  expect(loads(recent, reported)).toEqual([6]);
});

test('those under way count, over heartbeats too, until they succeed or fail', () => {
  const recent = new RecentAssignments();
  const [before, after] = [worker('wrk_one', 1_000, 3), worker('wrk_one', 3_000, 3)];
  const [first, second] = [recent.begin(before), recent.begin(before)];
  expect(loads(recent, before)).toEqual([5]);
  first.failed();
  expect(loads(recent, after)).toEqual([4]);
  second.succeeded(undefined);
  expect(loads(recent, after)).toEqual([4]);
  expect(loads(recent, worker('wrk_one', 5_000, 4))).toEqual([4]);
});

test('what a worker says in answer to an assignment counts until its next heartbeat', () => {
  const recent = new RecentAssignments();
  const one = worker('wrk_one', 1_000, 3);
  recent.begin(one).succeeded(8);
  expect(loads(recent, one)).toEqual([8]);
  recent.begin(one).succeeded(undefined);
  const underWay = recent.begin(one);
  expect(loads(recent, one)).toEqual([10]);
  underWay.succeeded(9);
  expect(loads(recent, one)).toEqual([9]);
  expect(loads(recent, worker('wrk_one', 3_000, 7))).toEqual([7]);
});

test('a worker that is gone is forgotten', () => {
  const recent = new RecentAssignments();
  const one = worker('wrk_one', 1_000, 3);
  recent.begin(one).succeeded(undefined);
  recent.addTo([]);
  expect(recent.addTo([one])).toEqual([one]);
});
