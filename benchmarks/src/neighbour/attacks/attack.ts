import type { z } from 'zod';
import type { attackRequest } from '../protocol.js';
import type { Tally } from './tally.js';

/** The address of an attack. It differs from the neighbour's, so that limits by address apply separately. */
export const ATTACKER_ADDRESS = '127.0.0.2';

export interface Target extends Omit<z.infer<typeof attackRequest>, 'name'> {
  /** Counts the outcomes. */
  readonly tally: Tally;
  /** Aborted to end the attack. */
  readonly signal: AbortSignal;
}

/** Attacks until `signal` is aborted. Resolves when all its connections and calls have ended. */
export type Attack = (target: Target) => Promise<void>;

/** Runs a number of loops at the same time, each until `signal` is aborted. */
export async function loop(
  count: number,
  signal: AbortSignal,
  turn: (index: number) => Promise<void>,
): Promise<void> {
  const turns = async (_: unknown, index: number) => {
    while (!signal.aborted) await turn(index);
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.round(count)) }, turns));
}

/** Resolves when `signal` is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
