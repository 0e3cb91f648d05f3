import { expect, test } from 'vitest';
import { median, medianRatio, percentile } from './statistics.js';

test('the median is the middle value, or the mean of the middle two', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 2, 8])).toBe(3);
  expect(median([])).toBeNaN();
});

test('a percentile is a value that was measured', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentile(values, 0.5)).toBe(50);
  expect(percentile(values, 0.99)).toBe(99);
  expect(percentile([7], 0.99)).toBe(7);
});

test('a ratio compares what was measured in the same round', () => {
  expect(medianRatio([2, 20, 30], [1, 10, 5])).toBe(2);
});
