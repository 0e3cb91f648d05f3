import { expect, test } from 'vitest';
import { StartPace } from './start-pace.js';

/** Returns the gaps of a process with the given utilizations. */
async function gapsOf(utilizations: readonly number[], isNeeded = true): Promise<number[]> {
  const gaps: number[] = [];
  const left = [...utilizations];
  const pace = new StartPace({
    utilization: () => left.shift() ?? 0,
    isNeeded: () => isNeeded,
    wait: async (ms) => {
      gaps.push(ms);
    },
  });
  for (let n = 0; n < utilizations.length; n += 1) await pace.gap();
  return gaps;
}

test('connects of a process that is not busy follow each other at once', async () => {
  expect(await gapsOf([0.1, 0.4, 0.49])).toEqual([0, 0, 0]);
});

test('the gap grows while the process is busy, up to 50 ms, and shrinks when it is not', async () => {
  expect(await gapsOf([1, 0.9, 0.5, 0.7, 0.8, 0.8])).toEqual([5, 10, 20, 40, 50, 50]);
  expect(await gapsOf([1, 1, 1, 0.2, 0.2, 0.2, 0.2])).toEqual([5, 10, 20, 10, 5, 2, 1]);
});

test('connects follow each other at once while no other session has messages', async () => {
  expect(await gapsOf([1, 1, 1], false)).toEqual([0, 0, 0]);
});

test('turns are given in order, each a gap after the one before', async () => {
  const gaps: (() => void)[] = [];
  const pace = new StartPace({
    utilization: () => 1,
    wait: () => new Promise((resolve) => gaps.push(resolve)),
  });
  const begun: number[] = [];
  const turns = [1, 2, 3].map((n) => pace.turn().then(() => begun.push(n)));
  await turns[0];
  expect(begun).toEqual([1]);
  gaps.shift()?.();
  await turns[1];
  expect(begun).toEqual([1, 2]);
  gaps.shift()?.();
  await turns[2];
  expect(begun).toEqual([1, 2, 3]);
});
