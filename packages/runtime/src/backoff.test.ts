import { expect, it } from 'vitest';
import { backoff } from './backoff.js';

it('doubles with every attempt up to the cap, without jitter by default', () => {
  const waitMs = backoff({ baseMs: 50, capMs: 1_000 });
  const waits = [0, 1, 2, 3, 4, 5, 6, 5_000].map((attempt) => waitMs(attempt));
  expect(waits).toEqual([50, 100, 200, 400, 800, 1_000, 1_000, 1_000]);
});

it('draws from 0 up to the limit with full jitter', () => {
  const waitMs = backoff({ baseMs: 1_000, capMs: 120_000, jitter: 1 });
  const longest = [0, 1, 2, 6, 7, 50, 5_000].map((attempt) => waitMs(attempt, 0.999_999));
  expect(longest).toEqual([999, 1_999, 3_999, 63_999, 119_999, 119_999, 119_999]);
  expect(waitMs(3, 0)).toBe(0);
  expect(waitMs(3, 0.5)).toBe(4_000);
});

it('draws from the upper part of the limit with partial jitter', () => {
  const waitMs = backoff({ baseMs: 1_000, capMs: 15_000, jitter: 0.5 });
  expect([0, 0.5, 1].map((random) => waitMs(2, random))).toEqual([2_000, 3_000, 4_000]);
  expect([0, 0.5, 1].map((random) => waitMs(9, random))).toEqual([7_500, 11_250, 15_000]);
});

it('draws by itself without a given number', () => {
  const waitMs = backoff({ baseMs: 1_000, capMs: 8_000, jitter: 0.5 });
  const waits = Array.from({ length: 1_000 }, () => waitMs(9));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(4_000);
  expect(Math.max(...waits)).toBeLessThanOrEqual(8_000);
  expect(new Set(waits).size).toBeGreaterThan(100);
});
