import type { Worker } from 'bullmq';

const PAUSE_MS = { first: 1_000, longest: 15_000 };
/** An error after such a time without one is the first of another outage. */
const CALM_MS = 30_000;

/**
 * Pauses a worker after an error, longer each time. BullMQ's own loop tries again at once when Redis answers with an
 * error, such as OOM or READONLY, thousands of times a second. Lost connections do not come here: BullMQ waits for
 * those.
 */
export function paceErrors(worker: Worker): void {
  let pauseMs = PAUSE_MS.first;
  let failedAt = Number.NEGATIVE_INFINITY;
  let resuming: NodeJS.Timeout | undefined;
  worker.on('error', () => {
    if (resuming !== undefined) return;
    const now = performance.now();
    pauseMs = now - failedAt > CALM_MS + pauseMs ? PAUSE_MS.first : Math.min(PAUSE_MS.longest, 2 * pauseMs);
    failedAt = now;
    // Jobs at work go on; `pause` only stops the loop that fetches others.
    void worker.pause(true);
    resuming = setTimeout(
      () => {
        resuming = undefined;
        void worker.resume();
      },
      pauseMs * (0.5 + Math.random() / 2),
    );
  });
  worker.on('closing', () => clearTimeout(resuming));
}
