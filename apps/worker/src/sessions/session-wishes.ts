import { isResting } from '@wafleet/contract';
import type { ExportRequest, SessionRecord } from '@wafleet/store';

/** What the record of a claimed session asks its worker for. */

/**
 * When the session is removed in any case, by `performance.now()`: the clock of this machine may differ from Redis'.
 */
export function dueHere(record: SessionRecord | undefined): number | undefined {
  if (record?.removeBy === undefined) return undefined;
  return performance.now() + record.removeBy - (record.readAt ?? record.removeBy);
}

/** The export of a session that is to be carried out now. One that is being removed is not handed out. */
export function exportWanted(record: SessionRecord | undefined): ExportRequest | undefined {
  const { exportRequest, removeBy, readAt = 0 } = record ?? {};
  if (removeBy !== undefined || exportRequest === undefined) return undefined;
  return readAt < exportRequest.by ? exportRequest : undefined;
}

/** Whether its credentials were handed out, so that it may run elsewhere. */
export function wasHandedOut({ status, reason, removeBy }: SessionRecord): boolean {
  return status === 'closed' && reason === 'exported' && removeBy === undefined;
}

/** Whether a session that was claimed to be handed out, and was not, is to be opened: to run it or to log it out. */
export function needsOpening({ removeBy, status }: SessionRecord): boolean {
  return removeBy !== undefined || !isResting(status);
}
