import type { WorkerState } from '@wafleet/store';

const byReleaseParts = new Intl.Collator('en', { numeric: true });

/**
 * The workers of the newest release among those given. During a rollout sessions thus move to new workers at
 * once, rather than to an old one that will be replaced a moment later. Numbers within a release compare as
 * numbers: 1.10.0 is newer than 1.9.0.
 */
export function newestRelease(workers: readonly WorkerState[]): readonly WorkerState[] {
  const newest = workers
    .map((worker) => worker.release)
    .reduce((a, b) => (byReleaseParts.compare(a, b) < 0 ? b : a), '');
  return workers.filter((worker) => byReleaseParts.compare(worker.release, newest) === 0);
}
