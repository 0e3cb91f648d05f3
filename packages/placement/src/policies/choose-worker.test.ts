import type { WorkerState } from '@wafleet/store';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HEARTBEAT_TIMEOUT_MS } from './alive.js';
import { chooseWorker } from './choose-worker.js';

function worker(changes: Partial<WorkerState> = {}): WorkerState {
  return {
    id: 'wrk_a',
    release: '1.0.0',
    capacity: 100,
    sessions: 0,
    draining: false,
    idlest: [],
    at: 1_000_000,
    ageMs: 1_000,
    host: 'host',
    ...changes,
  };
}

function choose(
  workers: readonly WorkerState[],
  { avoid = [], random = Math.random }: { avoid?: string[]; random?: () => number } = {},
) {
  return chooseWorker(workers, { avoid: new Set(avoid), random });
}

describe('a worker is not chosen', () => {
  test('when its heartbeat is too old', () => {
    expect(choose([worker({ ageMs: HEARTBEAT_TIMEOUT_MS })])).toEqual({ none: 'no worker is running' });
    expect(choose([worker({ ageMs: HEARTBEAT_TIMEOUT_MS - 1 })])).toHaveProperty('worker');
  });

  test('when it drains', () => {
    expect(choose([worker({ draining: true })])).toEqual({ none: 'no worker has room' });
  });

  test('at its capacity', () => {
    expect(choose([worker({ sessions: 100 })])).toEqual({ none: 'no worker has room' });
    expect(choose([worker({ sessions: 99 })])).toHaveProperty('worker');
  });

  test('when it is avoided', () => {
    expect(choose([worker()], { avoid: ['wrk_a'] })).toEqual({ none: 'no worker has room' });
  });

  test('when there is none', () => {
    expect(choose([])).toEqual({ none: 'no worker is running' });
  });
});

test('the newest release comes first, compared by its numbers, while it has room', () => {
  const old = worker({ id: 'wrk_old', release: '1.9.0' });
  const fresh = worker({ id: 'wrk_new', release: '1.10.0', sessions: 99 });
  expect(choose([old, fresh])).toEqual({ worker: fresh });
  expect(choose([old, { ...fresh, sessions: 100 }])).toEqual({ worker: old });
});

test('of two workers the less loaded one is chosen, by share of capacity', () => {
  const small = worker({ id: 'wrk_small', capacity: 10, sessions: 5 });
  const large = worker({ id: 'wrk_large', capacity: 100, sessions: 20 });
  for (let i = 0; i < 20; i += 1) expect(choose([small, large])).toEqual({ worker: large });
});

const heartbeats = fc.uniqueArray(
  fc.record({
    id: fc.stringMatching(/^wrk_[a-z0-9]{1,4}$/),
    release: fc.stringMatching(/^[0-3]\.[0-9]{1,2}\.0$/),
    capacity: fc.integer({ min: 1, max: 50 }),
    sessions: fc.integer({ min: 0, max: 60 }),
    draining: fc.boolean(),
    idlest: fc.constant([]),
    at: fc.constant(1_000_000),
    ageMs: fc.integer({ min: 0, max: 2 * HEARTBEAT_TIMEOUT_MS }),
    host: fc.constant('host'),
  }),
  { selector: (one) => one.id, maxLength: 12 },
);
const randomValue = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('for any workers', () => {
  test('the chosen one is eligible, and one is chosen whenever one is eligible', () => {
    fc.assert(
      fc.property(
        heartbeats,
        fc.infiniteStream(randomValue),
        fc.nat(12),
        (workers, randomValues, avoided) => {
          const avoid = workers.slice(0, avoided).map((one) => one.id);
          const eligible = workers.filter(
            (one) =>
              one.ageMs < HEARTBEAT_TIMEOUT_MS &&
              !one.draining &&
              one.sessions < one.capacity &&
              !avoid.includes(one.id),
          );
          const choice = choose(workers, { avoid, random: () => Number(randomValues.next().value) });
          if ('worker' in choice) expect(eligible).toContain(choice.worker);
          else expect(eligible).toEqual([]);
        },
      ),
    );
  });

  test('never the most loaded one of several of a release, when loads differ', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 2, maxLength: 10 }),
        fc.infiniteStream(randomValue),
        (loads, randomValues) => {
          const workers = loads.map((sessions, index) => worker({ id: `wrk_${index}`, sessions }));
          const choice = choose(workers, { random: () => Number(randomValues.next().value) });
          expect('worker' in choice && choice.worker.sessions).toBeLessThan(Math.max(...loads));
        },
      ),
    );
  });
});
