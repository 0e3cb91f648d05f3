import { type Cluster, waitFor } from '@wafleet/testkit';

const START_TIMEOUT_MS = 150_000;
const STARTED_AT_ONCE = 2;

/** Keeps `count()` workers running, and replaces those that end, until it is stopped. Calls `count` repeatedly. */
export function keepWorkers(cluster: Cluster, count: () => number, add: () => Promise<unknown>) {
  const abort = new AbortController();
  const keeping = (async () => {
    while (!abort.signal.aborted) {
      const missing = Math.min(STARTED_AT_ONCE, count() - cluster.workers.length);
      // A worker may be killed before it is ready.
      await Promise.allSettled(Array.from({ length: Math.max(0, missing) }, add));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return {
    /** Resolves when `count()` workers run. */
    ready: () =>
      waitFor(() => cluster.workers.length >= count(), {
        what: `${count()} workers`,
        timeoutMs: START_TIMEOUT_MS,
      }),
    stop: async () => {
      abort.abort();
      await keeping;
    },
  };
}
