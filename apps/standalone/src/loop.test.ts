import { expect, test, vi } from 'vitest';
import { Loop, pause } from './loop.js';

test('it continues after a failed round and reports the error', async () => {
  const failures: unknown[] = [];
  let rounds = 0;
  const loop = new Loop({
    pauseMs: 1,
    onError: (error) => failures.push(error),
    round: async () => {
      rounds += 1;
      if (rounds === 1) throw new Error('the first');
    },
  });
  loop.start();
  await vi.waitFor(() => expect(rounds).toBeGreaterThan(2));
  await loop.stop();
  const atStop = rounds;
  expect(failures).toEqual([new Error('the first')]);
  await pause(20, new AbortController().signal);
  expect(rounds).toBe(atStop);
});

test('a stop ends a waiting round without an error, and the pause', async () => {
  const failures: unknown[] = [];
  for (const round of [(signal: AbortSignal) => pause(3_600_000, signal), async () => {}]) {
    const loop = new Loop({ pauseMs: 3_600_000, onError: (error) => failures.push(error), round });
    loop.start();
    await loop.stop();
  }
  expect(failures).toEqual([]);
});
