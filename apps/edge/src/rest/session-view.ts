import type { SessionView } from '@wafleet/contract';
import type { SessionRecord } from '@wafleet/store';

/** A session as REST shows it. */
export function sessionView(record: SessionRecord): SessionView {
  const reason = record.removeBy === undefined ? record.reason : 'removing';
  return {
    id: record.sessionId,
    ...(record.name === undefined ? {} : { name: record.name }),
    status: record.status,
    ...(reason === undefined ? {} : { reason }),
    since: new Date(record.since).toISOString(),
    ...(record.worker === undefined ? {} : { worker: record.worker }),
    ...(record.phone === undefined ? {} : { phone: record.phone }),
  };
}
