import type { WorkerState } from '@wafleet/store';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planMove } from './plan-move.js';

function worker(id: string, changes: Partial<WorkerState> = {}): WorkerState {
  const about = { release: '1.0.0', host: 'host', draining: false, idlest: [], at: 1_000_000, ageMs: 1_000 };
  return { ...about, lifeline: undefined, id, capacity: 100, sessions: 0, ...changes };
}

function plan(...workers: WorkerState[]) {
  const move = planMove(workers);
  return move && { from: move.from.id, to: move.to.id, count: move.count };
}

describe('sessions move', () => {
  test('from the most to the least loaded worker, a few at a time', () => {
    const workers = [worker('a', { sessions: 40 }), worker('b', { sessions: 20 }), worker('c')];
    expect(plan(...workers)).toEqual({ from: 'a', to: 'c', count: 5 });
  });

  test('no further than to the mean', () => {
    expect(plan(worker('a', { sessions: 7 }), worker('b', { sessions: 2 }))).toMatchObject({ count: 2 });
  });

  test('by share of capacity', () => {
    const small = worker('small', { capacity: 10, sessions: 9 });
    const large = worker('large', { capacity: 1_000, sessions: 200 });
    expect(plan(small, large)).toEqual({ from: 'small', to: 'large', count: 5 });
  });

  test('no more of them than the other worker has room for', () => {
    const full = worker('full', { capacity: 4, sessions: 4 });
    expect(plan(worker('a', { sessions: 100, capacity: 1 }), full)).toBeUndefined();
  });
});

describe('nothing moves', () => {
  test('while the difference is small', () => {
    expect(plan(worker('a', { sessions: 3 }), worker('b', { sessions: 1 }))).toBeUndefined();
    expect(plan(worker('a', { sessions: 100 }), worker('b', { sessions: 90 }))).toBeUndefined();
    expect(plan(worker('a', { sessions: 100 }), worker('b', { sessions: 89 }))).toBeDefined();
  });

  test('while a worker stops, or workers have different releases', () => {
    const loaded = worker('a', { sessions: 50 });
    expect(plan(loaded, worker('b'), worker('c', { draining: true }))).toBeUndefined();
    expect(plan(loaded, worker('b', { release: '1.0.1' }))).toBeUndefined();
  });

  test('to or from a worker that is silent', () => {
    expect(plan(worker('a', { sessions: 50 }), worker('b', { ageMs: 60_000 }))).toBeUndefined();
    expect(plan(worker('a', { sessions: 50, ageMs: 60_000 }), worker('b'))).toBeUndefined();
  });

  test('with one worker or none', () => {
    expect(plan()).toBeUndefined();
    expect(plan(worker('a', { sessions: 50 }))).toBeUndefined();
  });
});

test('for any workers it comes to rest with all even, and no worker gives after it took', () => {
  const loads = fc.array(fc.record({ sessions: fc.nat(300), capacity: fc.constantFrom(300, 300, 600) }), {
    minLength: 2,
    maxLength: 6,
  });
  fc.assert(
    fc.property(loads, (given) => {
      let workers = given.map((about, index) => worker(`wrk_${index}`, about));
      const gave = new Set<string>();
      const took = new Set<string>();
      for (let move = planMove(workers); move !== undefined; move = planMove(workers)) {
        const { from, to, count } = move;
        expect(count).toBeGreaterThan(0);
        gave.add(from.id);
        took.add(to.id);
        workers = workers.map((one) => {
          if (one.id === from.id) return { ...one, sessions: one.sessions - count };
          return one.id === to.id ? { ...one, sessions: one.sessions + count } : one;
        });
        expect(workers.every(({ sessions, capacity }) => sessions >= 0 && sessions <= capacity)).toBe(true);
      }
      expect([...gave].filter((id) => took.has(id))).toEqual([]);
      const loadOf = workers.map(({ sessions, capacity }) => sessions / capacity);
      // What is left is at most what whole sessions cannot even out, or a tenth.
      expect(Math.max(...loadOf) - Math.min(...loadOf)).toBeLessThanOrEqual(0.1 + 3 / 300);
    }),
    { numRuns: 500 },
  );
});
