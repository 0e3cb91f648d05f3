import { expect, test } from 'vitest';
import { BoundedMap } from './bounded-map.js';

test('beyond its bound the value that was set the longest ago leaves', () => {
  const map = new BoundedMap<number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  expect(['a', 'b', 'c'].map((name) => map.get(name))).toEqual([3, undefined, 4]);
});
