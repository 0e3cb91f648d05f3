import type { WorkerState } from '@wafleet/store';

/** A number from 0 (inclusive) to 1 (exclusive), as Math.random gives. */
export type RandomSource = () => number;

function load(worker: WorkerState): number {
  return worker.sessions / worker.capacity;
}

/**
 * The less loaded of two different workers drawn at random, or the only one; undefined for none. Heartbeats are
 * seconds old, and always taking the least loaded would send every placement of those seconds to one worker
 * (Mitzenmacher, The Power of Two Choices in Randomized Load Balancing).
 */
export function powerOfTwoChoices(
  workers: readonly WorkerState[],
  random: RandomSource,
): WorkerState | undefined {
  const first = Math.floor(random() * workers.length);
  const step = 1 + Math.floor(random() * (workers.length - 1));
  const one = workers[first];
  const other = workers[(first + step) % workers.length];
  if (one === undefined || other === undefined) return one;
  return load(other) < load(one) ? other : one;
}
