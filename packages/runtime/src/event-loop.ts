import { performance } from 'node:perf_hooks';

/**
 * Watches the event loop of this process.
 * @returns a function that gives the share of its time, 0 to 1, that the loop worked since the call before, or since this one.
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
