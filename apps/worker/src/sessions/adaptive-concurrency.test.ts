import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { withAdaptiveConcurrency } from './adaptive-concurrency.js';

const items = Array.from({ length: 40 }, (_, index) => index);

/** The most that were at work at the same time, and the order in which they began. */
async function observe(pace: Parameters<typeof withAdaptiveConcurrency>[1], lastsMs: number) {
  const begun: number[] = [];
  let atWork = 0;
  let most = 0;
  await withAdaptiveConcurrency(items, pace, async (item) => {
    begun.push(item);
    atWork += 1;
    most = Math.max(most, atWork);
    await delay(lastsMs);
    atWork -= 1;
  });
  expect(atWork).toBe(0);
  return { begun, most };
}

const inAnHour = () => performance.now() + 3_600_000;
const atOnce = () => performance.now();

test('quick work is done for more and more at a time, up to the bound, in order', async () => {
  const { begun, most } = await observe(
    { usually: 8, atMost: 10, quickMs: 10_000, slowMs: 20_000, dueAt: inAnHour },
    1,
  );
  expect(most).toBe(8);
  expect(begun).toEqual(items);
});

test('slow work is done for two at a time', async () => {
  const { begun, most } = await observe(
    { usually: 8, atMost: 10, quickMs: 0, slowMs: 0, dueAt: inAnHour },
    1,
  );
  expect(most).toBe(2);
  expect(begun).toEqual(items);
});

test('slow work that would not be done in time is done for more at a time', async () => {
  const { most } = await observe({ usually: 8, atMost: 10, quickMs: 0, slowMs: 0, dueAt: atOnce }, 5);
  expect(most).toBe(10);
});
