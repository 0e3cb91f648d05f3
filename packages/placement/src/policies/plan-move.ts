import type { WorkerState } from '@wafleet/store';
import { isAlive } from './alive.js';

/** The maximum number of sessions that one sweep moves: each move costs its session a reconnect. */
const MOVES_AT_ONCE = 5;
/** Workers are even enough while one has no more than two sessions, or a tenth, more than another. */
const EVEN = { sessions: 2, share: 0.1 };

export interface Move {
  readonly from: WorkerState;
  readonly to: WorkerState;
  /** How many sessions. */
  readonly count: number;
}

function load({ sessions, capacity }: WorkerState): number {
  return sessions / capacity;
}

function sum(workers: readonly WorkerState[], field: 'sessions' | 'capacity'): number {
  return workers.reduce((total, worker) => total + worker[field], 0);
}

/**
 * Plans which worker should give some of its sessions to which other one: the most loaded to the least loaded, by share
 * of capacity, if they differ by much. It aims at the mean of all and begins far from it. No worker gives so much that
 * it falls below the mean, or takes so much that it would have to give. So it comes to rest, and no session moves
 * twice. Returns undefined also while a worker stops, or while releases differ: in a rollout sessions move with the
 * workers that are replaced, and moving them twice is useless.
 */
export function planMove(workers: readonly WorkerState[]): Move | undefined {
  const alive = workers.filter(isAlive).sort((a, b) => load(a) - load(b));
  const [to] = alive;
  const from = alive.at(-1);
  if (to === undefined || from === undefined) return undefined;
  if (alive.some(({ draining, release }) => draining || release !== from.release)) return undefined;

  const difference = from.sessions - load(to) * from.capacity;
  if (difference <= Math.max(EVEN.sessions, EVEN.share * from.sessions)) return undefined;
  const mean = sum(alive, 'sessions') / sum(alive, 'capacity');
  const surplus = Math.floor(from.sessions - mean * from.capacity);
  const shortage = Math.ceil(mean * to.capacity - to.sessions);
  const count = Math.min(MOVES_AT_ONCE, surplus, shortage, to.capacity - to.sessions);
  return count > 0 ? { from, to, count } : undefined;
}
