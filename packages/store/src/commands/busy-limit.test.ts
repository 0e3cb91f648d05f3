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

test('the limit begins with four and is doubled in each tenth of a second that was not busy', () => {
  const { limit, after } = limitOf16();
  expect(limit.now()).toBe(4);
  expect(after(99, 0)).toBe(4);
  expect([after(1, 0), after(100, 0.5), after(100, 0.6)]).toEqual([8, 16, 16]);
});

test('the limit is halved in each tenth of a second that was busy, down to one', () => {
  const { after } = limitOf16();
  for (let period = 0; period < 3; period += 1) after(100, 0);
  expect(after(99, 1)).toBe(16);
  expect(Array.from({ length: 6 }, () => after(100, 0.9))).toEqual([8, 4, 2, 1, 1, 1]);
});

test('the limit grows by one in each tenth of a second that was not busy, once it has been', () => {
  const { after } = limitOf16();
  for (let period = 0; period < 5; period += 1) after(100, 1);
  expect(after(100, 0.2)).toBe(2);
  expect(after(100, 0.2)).toBe(3);
  expect(after(500, 0.1)).toBe(8);
});

test('the limit begins again after a second without work', () => {
  const { after } = limitOf16();
  for (let period = 0; period < 5; period += 1) after(100, 1);
  expect(after(1_000, 0)).toBe(4);
  expect(after(100, 0)).toBe(8);
});
