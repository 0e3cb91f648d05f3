import { expect, test } from 'vitest';
import { toTable } from './report.js';
import { rowOf } from './scenario.js';

const labels = { scenario: 'one', measure: 'µs' };
const rounds = { product: [10, 30, 20], floor: [10, 10, 10], peer: [40, 40, 40] };

test('a row has the median of each contender, and of the quotients within a round', () => {
  const { figures, ratios } = rowOf(labels, rounds, (value) => value);
  expect(figures).toEqual({ product: 20, floor: 10, peer: 40 });
  expect(ratios).toEqual({ floor: 2, peer: 0.5 });
});

test('a bar is met up to its limit', () => {
  const { bars } = rowOf(labels, rounds, (value) => value, { floor: 1.9, peer: 0.5, itself: 25 });
  expect(bars).toEqual([
    { demand: '≤ 1.9 × floor', held: false },
    { demand: '≤ 0.5 × peer', held: true },
    { demand: '≤ 25', held: true },
  ]);
});

test('a table has a line for each bar, and no figure for a contender that took no part', () => {
  const row = rowOf(labels, { product: [1_500] }, (value) => value, { itself: 2_000 });
  expect(toTable([row], ['product', 'floor'])).toBe(
    [
      '| scenario | measured | product | floor | × floor | bar    | held |',
      '|----------|----------|---------|-------|---------|--------|------|',
      '| one      | µs       | 1,500   |       |         | ≤ 2000 | yes  |',
    ].join('\n'),
  );
});
