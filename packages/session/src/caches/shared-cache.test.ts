import { waitFor } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import { SharedCache } from './shared-cache.js';

test('a session sees its own values only, and clears no others', () => {
  const cache = new SharedCache<string>({ room: 10 });
  const [one, other] = [cache.part(), cache.part()];
  one.set('a', 'of one');
  other.set('a', 'of the other');
  expect([one.get('a'), other.get('a')]).toEqual(['of one', 'of the other']);
  one.clear();
  expect([one.get('a'), other.get('a')]).toEqual([undefined, 'of the other']);
  other.delete('a');
  expect(cache.size).toBe(0);
});

test('one bound holds for all sessions: the least recently used value of any session is dropped', () => {
  const cache = new SharedCache<number>({ room: 3 });
  const [one, other] = [cache.part(), cache.part()];
  one.set('a', 1);
  one.set('b', 2);
  other.set('a', 3);
  one.get('a');
  other.set('b', 4);
  expect([one.get('a'), one.get('b'), other.get('a'), other.get('b')]).toEqual([1, undefined, 3, 4]);
  expect(cache.size).toBe(3);
});

test('values with sizes are bounded by their sum, and one that never fits is not kept', () => {
  const cache = new SharedCache<string>({ room: 10, sizeOf: (value) => value.length });
  const part = cache.part();
  part.set('a', '12345');
  part.set('b', '12345');
  part.set('c', '123456');
  expect([part.get('a'), part.get('b'), part.get('c')]).toEqual([undefined, undefined, '123456']);
  part.set('d', '12345678901');
  expect(part.get('d')).toBeUndefined();
});

test('a session that ends gives its room back, and takes none any more', () => {
  const cache = new SharedCache<number>({ room: 10 });
  const [ending, staying] = [cache.part(), cache.part()];
  for (const name of ['a', 'b', 'c']) ending.set(name, 1);
  staying.set('a', 2);
  ending.end();
  ending.set('d', 1);
  expect(cache.size).toBe(1);
  expect(staying.get('a')).toBe(2);
});

test('a value lives its time, counted from when it was set last', async () => {
  const cache = new SharedCache<number>({ room: 10, lifeMs: 50 });
  const part = cache.part();
  part.set('a', 1);
  expect(part.get('a')).toBe(1);
  await waitFor(() => part.get('a') === undefined, { what: 'the end of its life' });
  part.set('a', 2);
  expect(part.get('a')).toBe(2);
});
