import { isResting } from '@wafleet/contract';
import type { SessionRecord } from '@wafleet/store';

/** Whether a worker should have the session, now or later: to run it, or to log it out before it is removed. */
export function needsWorker(session: SessionRecord): boolean {
  if (session.removeBy !== undefined) return true;
  return session.desired === 'open' && !isResting(session.status);
}

/** Whether a worker should have the session now: a removal that failed waits before it is tried again. */
export function needsWorkerNow(session: SessionRecord): boolean {
  const { removeAfter = 0, readAt = removeAfter } = session;
  const isPutOff = session.removeBy !== undefined && readAt < removeAfter;
  return !isPutOff && needsWorker(session);
}
