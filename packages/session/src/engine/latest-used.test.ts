import { expect, test } from 'vitest';
import { LatestUsed } from './latest-used.js';

test('what was used least lately leaves first', () => {
  const values = new LatestUsed<number>(2);
  values.set('a', 1);
  values.set('b', 2);
  expect(values.get('a')).toBe(1);
  values.set('c', 3);
  values.set('c', 4);
  expect(['a', 'b', 'c'].map((name) => values.get(name))).toEqual([1, undefined, 4]);
});
