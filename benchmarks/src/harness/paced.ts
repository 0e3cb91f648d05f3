import { setTimeout as delay } from 'node:timers/promises';

/** Longer pauses make messages come in bursts, shorter ones cost more than they are worth. */
const TICK_MS = 5;

/** Begins the runs one after the other, so many a second, and resolves when all are done. Rejects as the first does. */
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
    // What rejects before all have begun is told below.
    running.catch(() => {});
    runs.push(running);
  }
  await Promise.all(runs);
}
