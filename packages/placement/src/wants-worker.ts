import { isResting } from '@wafleet/contract';
import type { SessionRecord } from '@wafleet/store';

/** Whether a worker should have the session: to run it, or to log it out before it is removed. */
export function wantsWorker(session: SessionRecord): boolean {
  if (session.removeBy !== undefined) return true;
  return session.desired === 'open' && !isResting(session.status);
}
