import { expect, test } from 'vitest';
import { PartitionedLru } from './partitioned-lru.js';

test('an owner sees its own values only, and clears no others', () => {
  const cache = new PartitionedLru<string>({ max: 10 });
  const [one, other] = [cache.createPartition(), cache.createPartition()];
  one.set('a', 'of one');
  other.set('a', 'of the other');
  expect([one.get('a'), other.get('a')]).toEqual(['of one', 'of the other']);
  one.clear();
  expect([one.get('a'), other.get('a')]).toEqual([undefined, 'of the other']);
  other.delete('a');
  expect(cache.size).toBe(0);
});

test('one bound holds for all owners: the least recently used value of any owner is evicted', () => {
  const cache = new PartitionedLru<number>({ max: 3 });
  const [one, other] = [cache.createPartition(), cache.createPartition()];
  one.set('a', 1);
  one.set('b', 2);
  other.set('a', 3);
  one.get('a');
  other.set('b', 4);
  expect([one.get('a'), one.get('b'), other.get('a'), other.get('b')]).toEqual([1, undefined, 3, 4]);
  expect(cache.size).toBe(3);
});

test('values with sizes are bounded by their sum, and one that never fits is not kept', () => {
  const cache = new PartitionedLru<string>({ max: 10, sizeOf: (value) => value.length });
  const partition = cache.createPartition();
  partition.set('a', '12345');
  partition.set('b', '12345');
  expect(cache.totalSize).toBe(10);
  partition.set('c', '123456');
  expect(['a', 'b', 'c'].map((key) => partition.get(key))).toEqual([undefined, undefined, '123456']);
  partition.set('d', '12345678901');
  expect(partition.get('d')).toBeUndefined();
});

test('a value that never fits replaces the one before it by none, and leaves the others', () => {
  const cache = new PartitionedLru<string>({ max: 10, sizeOf: (value) => value.length });
  const partition = cache.createPartition();
  partition.set('a', '123');
  partition.set('b', '456');
  partition.set('a', '12345678901');
  expect([...partition.entries()]).toEqual([['b', '456']]);
  partition.set('a', '789');
  expect([...partition.entries()]).toEqual([
    ['b', '456'],
    ['a', '789'],
  ]);
});

test('a partition lists exactly the values that were not evicted', () => {
  const cache = new PartitionedLru<number>({ max: 2 });
  const [one, other] = [cache.createPartition(), cache.createPartition()];
  one.set('a', 1);
  one.set('b', 2);
  other.set('c', 3);
  expect([...one.entries()]).toEqual([['b', 2]]);
  // To list a value is to use it.
  one.set('a', 4);
  expect([...one.entries()]).toEqual([
    ['b', 2],
    ['a', 4],
  ]);
  expect([...other.entries()]).toEqual([]);
});

test('a partition that is closed gives its room back, and takes none any more', () => {
  const cache = new PartitionedLru<number>({ max: 10 });
  const [closed, open] = [cache.createPartition(), cache.createPartition()];
  for (const key of ['a', 'b', 'c']) closed.set(key, 1);
  open.set('a', 2);
  closed.close();
  closed.set('d', 1);
  expect(cache.size).toBe(1);
  expect(closed.get('a')).toBeUndefined();
  expect(open.get('a')).toBe(2);
});

test('a value lives its time, counted from when it was set last', async () => {
  const cache = new PartitionedLru<number>({ max: 10, ttlMs: 50 });
  const partition = cache.createPartition();
  partition.set('a', 1);
  expect(partition.get('a')).toBe(1);
  await expect.poll(() => partition.get('a'), { timeout: 30_000 }).toBeUndefined();
  partition.set('a', 2);
  expect(partition.get('a')).toBe(2);
});
