import { expect, it } from 'vitest';
import { LeaseClock, type Moment } from './lease-clock.js';

function clockAt(start: Moment) {
  let now = start;
  const clock = new LeaseClock(15_000, () => now);
  return { clock, set: (moment: Moment) => (now = moment) };
}

it('a lease is not fresh before it was taken', () => {
  expect(clockAt({ monotonic: 0, wall: 0 }).clock.isFresh).toBe(false);
});

it('a lease is fresh until its life is over, counted from when Redis was asked', () => {
  const { clock, set } = clockAt({ monotonic: 5_000, wall: 1e12 });
  clock.renewed({ monotonic: 4_000, wall: 1e12 - 1_000 });
  expect(clock.isFresh).toBe(true);
  set({ monotonic: 18_999, wall: 1e12 + 13_999 });
  expect(clock.isFresh).toBe(true);
  set({ monotonic: 19_000, wall: 1e12 + 14_000 });
  expect(clock.isFresh).toBe(false);
});

it('a lease is not fresh after either clock has seen its life pass', () => {
  const suspended = clockAt({ monotonic: 0, wall: 1e12 });
  suspended.clock.renewed({ monotonic: 0, wall: 1e12 });
  suspended.set({ monotonic: 10, wall: 1e12 + 60_000 });
  expect(suspended.clock.isFresh).toBe(false);

  const setBack = clockAt({ monotonic: 0, wall: 1e12 });
  setBack.clock.renewed({ monotonic: 0, wall: 1e12 });
  setBack.set({ monotonic: 16_000, wall: 1e12 - 3_600_000 });
  expect(setBack.clock.isFresh).toBe(false);
});
