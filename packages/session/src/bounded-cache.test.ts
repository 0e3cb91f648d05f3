import { expect, it } from 'vitest';
import { BoundedCache } from './bounded-cache.js';

it('keeps the newest entries, each for its life', () => {
  const cache = new BoundedCache({ maxEntries: 2, lifeMs: 60_000 });
  cache.set('a', 1);
  cache.set('b', 2);
  cache.set('a', 3);
  cache.set('c', 4);
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([3, undefined, 4]);
  cache.del('a');
  expect(cache.get('a')).toBeUndefined();
  cache.flushAll();
  expect(cache.get('c')).toBeUndefined();

  const brief = new BoundedCache({ maxEntries: 2, lifeMs: 0 });
  brief.set('a', 1);
  expect(brief.get('a')).toBeUndefined();
});
