import { isResting } from '@wafleet/contract';
import type { SessionRecord } from '@wafleet/store';

/**
 * Whether a worker should have the session, now or later: to run it, to hand its credentials out, or to log it out
 * before it is removed.
 */
export function needsWorker(session: SessionRecord): boolean {
  if (session.removeBy !== undefined || isToBeExported(session)) return true;
  return session.desired === 'open' && !isResting(session.status);
}

/** Whether the session's credentials are to be handed out, and there is still time for that. */
function isToBeExported({ exportRequest, readAt = 0 }: SessionRecord): boolean {
  return exportRequest !== undefined && readAt < exportRequest.by;
}

/** Whether a worker should have the session now: a removal that failed waits before it is tried again. */
export function needsWorkerNow(session: SessionRecord): boolean {
  const { removeAfter = 0, readAt = removeAfter } = session;
  const isPutOff = session.removeBy !== undefined && readAt < removeAfter;
  return !isPutOff && needsWorker(session);
}
