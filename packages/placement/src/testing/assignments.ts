import { executeCommand, type Handle, type TestWorker } from '@wafleet/store/testing';

/** Fails each `assign`. */
export const refuseAssignments: Handle = async (command, worker) => {
  if (command.kind === 'assign') throw new Error('this worker refuses');
  return executeCommand(command, worker);
};

/** Answers each `assign` as if the worker had the session already. */
export const pretendAssignments: Handle = async (command, worker) =>
  command.kind === 'assign' ? { sessions: worker.fences.length } : executeCommand(command, worker);

/** How often a worker was asked to take a session. */
export function assignmentsTo({ received }: TestWorker): number {
  return received.filter(({ kind }) => kind === 'assign').length;
}
