import { setTimeout as delay } from 'node:timers/promises';

/** Longer pauses cause bursts, and shorter ones cost too much CPU. */
const TICK_MS = 5;

/** Starts the runs one after the other at a rate. Resolves when all are done. Rejects as soon as one rejects. */
export async function paced<T>(
  items: readonly T[],
  perSecond: number,
  run: (item: T, index: number) => Promise<unknown>,
): Promise<void> {
  const begun = performance.now();
  const runs: Promise<unknown>[] = [];
  for (const [index, item] of items.entries()) {
    const dueAt = begun + (index * 1_000) / perSecond;
    while (performance.now() < dueAt) await delay(TICK_MS);
    const running = run(item, index);
    // A rejection before all runs have started is reported below.
    running.catch(() => {});
    runs.push(running);
  }
  await Promise.all(runs);
}
