import { expect, test } from 'vitest';
import { BusyLimit } from './busy-limit.js';

/** A limit of 16 in a process whose time and work the test sets. */
function limitOf16() {
  const process = { ms: 0, utilization: 0 };
  const limit = new BusyLimit({ most: 16, now: () => process.ms, utilization: () => process.utilization });
  const after = (ms: number, utilization: number) => {
    Object.assign(process, { ms: process.ms + ms, utilization });
    return limit.now();
  };
  return { limit, after };
}

test('a process that is not busy has the whole limit', () => {
  const { limit, after } = limitOf16();
  expect(limit.now()).toBe(16);
  expect(after(100, 0.5)).toBe(16);
});

test('the limit is halved in each tenth of a second that was busy, down to one', () => {
  const { after } = limitOf16();
  expect(after(99, 1)).toBe(16);
  expect(Array.from({ length: 6 }, () => after(100, 0.9))).toEqual([8, 4, 2, 1, 1, 1]);
});

test('the limit grows by one in each tenth of a second that was not busy', () => {
  const { after } = limitOf16();
  for (let period = 0; period < 5; period += 1) after(100, 1);
  expect(after(100, 0.2)).toBe(2);
  expect(after(100, 0.2)).toBe(3);
  expect(after(500, 0.1)).toBe(8);
  expect(after(60_000, 0)).toBe(16);
});
