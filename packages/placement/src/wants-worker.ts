import { isResting } from '@wafleet/contract';
import type { SessionRecord } from '@wafleet/store';

/** Whether a worker should have the session. */
export function wantsWorker(session: SessionRecord): boolean {
  return session.desired === 'open' && !isResting(session.status);
}
