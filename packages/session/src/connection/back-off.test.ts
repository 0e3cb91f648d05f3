import { expect, it } from 'vitest';
import { backOffMs } from './back-off.js';

it('draws from a range that doubles with every attempt, up to two minutes', () => {
  const longest = [0, 1, 2, 6, 7, 50, 5_000].map((attempt) => backOffMs(attempt, 0.999_999));
  expect(longest).toEqual([999, 1_999, 3_999, 63_999, 119_999, 119_999, 119_999]);
  expect(backOffMs(3, 0)).toBe(0);
  expect(backOffMs(3, 0.5)).toBe(4_000);
});
