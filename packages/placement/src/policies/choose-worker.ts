import type { WorkerState } from '@wafleet/store';
import { isAlive } from './alive.js';
import { hasRoom } from './has-room.js';
import { newestRelease } from './newest-release.js';
import { powerOfTwoChoices, type RandomSource } from './power-of-two-choices.js';

export interface ChoiceContext {
  /** Workers that must not get the session. */
  readonly avoid: ReadonlySet<string>;
  readonly random: RandomSource;
}

/** The worker to place a session on, or why there is none, in words that users read as their session's reason. */
export type Choice = { readonly worker: WorkerState } | { readonly none: string };

/** Alive, not draining, below capacity, not avoided; of those the newest release; of those the better of two. */
export function chooseWorker(workers: readonly WorkerState[], context: ChoiceContext): Choice {
  const alive = workers.filter(isAlive);
  if (alive.length === 0) return { none: 'no worker is running' };

  const eligible = alive.filter((worker) => hasRoom(worker) && !context.avoid.has(worker.id));
  const worker = powerOfTwoChoices(newestRelease(eligible), context.random);
  return worker === undefined ? { none: 'no worker has room' } : { worker };
}
