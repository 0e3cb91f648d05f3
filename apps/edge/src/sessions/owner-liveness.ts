import type { SessionRecord, WorkerRegistry } from '@wafleet/store';

/** Whether a session has an owner whose lease is live. */
export async function hasLivingOwner(
  { worker }: Pick<SessionRecord, 'worker'>,
  workers: WorkerRegistry,
): Promise<boolean> {
  return worker !== undefined && (await workers.aliveIds([worker])).has(worker);
}
