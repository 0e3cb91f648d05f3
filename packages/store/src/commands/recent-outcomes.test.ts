import { expect, test } from 'vitest';
import { createGate } from '../testing/gate.js';
import { RecentOutcomes } from './recent-outcomes.js';

test('work under one key happens once, while it runs and after it succeeded', async () => {
  const outcomes = new RecentOutcomes<number>();
  const gate = createGate();
  let runs = 0;
  const work = async () => {
    runs++;
    await gate.opened;
    return runs;
  };
  const together = [outcomes.once('a', work), outcomes.once('a', work)];
  gate.open();
  expect(await Promise.all(together)).toEqual([1, 1]);
  expect(await outcomes.once('a', work)).toBe(1);
  expect(await outcomes.once('b', work)).toBe(2);
});

test('work that failed is tried again', async () => {
  const outcomes = new RecentOutcomes<string>();
  await expect(outcomes.once('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await outcomes.once('a', async () => 'yes')).toBe('yes');
});

test('the oldest outcomes are forgotten when there are too many', async () => {
  const outcomes = new RecentOutcomes<number>();
  for (let n = 0; n < 10_001; n++) await outcomes.once(`key ${n}`, async () => n);
  expect(await outcomes.once('key 10000', async () => -1)).toBe(10_000);
  expect(await outcomes.once('key 0', async () => -1)).toBe(-1);
});
