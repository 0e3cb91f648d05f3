import type { WorkerState } from '@wafleet/store';

/**
 * Milliseconds after which a silent worker gets no new session, three of its beats. Its lease, which decides
 * whether its sessions are taken from it, runs longer.
 */
export const HEARTBEAT_TIMEOUT_MS = 6_000;

export function isAlive(worker: WorkerState): boolean {
  return worker.ageMs < HEARTBEAT_TIMEOUT_MS;
}
