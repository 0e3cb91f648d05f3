import { backoff, type Logger } from '@wafleet/runtime';
import { isRedisUnreachable, type RedisConnection } from '@wafleet/store';
import type { Worker } from 'bullmq';
import { dropDamagedJobs } from './damaged-jobs.js';

const pauseMs = backoff({ baseMs: 1_000, capMs: 15_000, jitter: 0.5 });
/** An error after this time without one is the first of another outage. */
const CALM_MS = 30_000;

/**
 * Pauses a worker after an error, longer each time. BullMQ's own loop tries again at once when Redis answers with an
 * error, such as OOM or READONLY, thousands of times a second. Lost connections are not handled here: BullMQ waits for
 * those. A job that cannot be read is dropped and ends the pause, so that it does not hold up the others.
 */
export function paceErrors(
  worker: Worker,
  resources: { readonly connection: RedisConnection; readonly logger: Logger },
): void {
  /** Errors of the current outage before the latest one. */
  let earlier = 0;
  let failedAt = Number.NEGATIVE_INFINITY;
  let resuming: NodeJS.Timeout | undefined;
  const resume = () => {
    clearTimeout(resuming);
    resuming = undefined;
    void worker.resume();
  };
  const dropDamaged = async () => {
    const dropped = await dropDamagedJobs(worker, resources);
    if (dropped === 0 || resuming === undefined) return;
    earlier = 0;
    resume();
  };
  worker.on('error', (error) => {
    if (resuming !== undefined) return;
    const now = performance.now();
    // A paused worker makes no errors, so a pause does not count as calm.
    const isFirst = now - failedAt > CALM_MS + pauseMs(earlier, 1);
    earlier = isFirst ? 0 : earlier + 1;
    failedAt = now;
    // Jobs at work go on; `pause` only stops the loop that fetches others.
    void worker.pause(true);
    resuming = setTimeout(resume, pauseMs(earlier));
    if (isRedisUnreachable(error)) return;
    dropDamaged().catch((reason: unknown) => {
      resources.logger.debug({ err: reason }, 'damaged jobs could not be looked for');
    });
  });
  worker.on('closing', () => clearTimeout(resuming));
}
