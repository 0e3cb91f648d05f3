import { performance } from 'node:perf_hooks';

/**
 * Watches the event loop of this process.
 * @returns a function that gives the share of time, 0 to 1, in which the loop was busy since the previous call. The
 * first call counts from now on.
 */
export function watchEventLoop(): () => number {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return utilization;
  };
}
