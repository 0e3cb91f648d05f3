export interface Pace {
  /** The maximum number at work at the same time while there is enough time. */
  readonly usually: number;
  /** The maximum number at work at the same time if not all would be done in time otherwise. */
  readonly atMost: number;
  /** An item that takes less than this, ms, raises the concurrency. */
  readonly quickMs: number;
  /** An item that takes more than this, ms, lowers the concurrency. */
  readonly slowMs: number;
  /** When all should be done, by `performance.now()`, as far as it is known now. */
  readonly dueAt: () => number;
}

const AT_FIRST = 2;

/**
 * Does the work for every item, in order, with an adaptive concurrency: it begins with two at a time, takes one more
 * after each quick item, and fewer after each slow one. `work` must not reject.
 */
export async function withAdaptiveConcurrency<T>(
  items: readonly T[],
  { usually, atMost, quickMs, slowMs, dueAt }: Pace,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let width = Math.min(AT_FIRST, usually);
  let left = items.length;

  const adapt = (tookMs: number) => {
    left -= 1;
    if (tookMs < quickMs) width += 1;
    else if (tookMs > slowMs) width -= 1;
    width = Math.min(usually, Math.max(AT_FIRST, width));
    const needed = Math.ceil((left * tookMs) / Math.max(1, dueAt() - performance.now()));
    width = Math.min(atMost, Math.max(width, needed));
  };

  for (const item of items) {
    while (running.size >= width) await Promise.race(running);
    const startedAt = performance.now();
    const run: Promise<void> = work(item).then(() => {
      running.delete(run);
      adapt(performance.now() - startedAt);
    });
    running.add(run);
  }
  await Promise.all(running);
}
