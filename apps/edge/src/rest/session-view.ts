import type { SessionDetails, SessionView } from '@wafleet/contract';
import type { SessionRecord, SettingsRecord } from '@wafleet/store';
import { linkOfSession } from '../sessions/link-of-session.js';

/** A session as REST shows it. */
export function sessionView(record: SessionRecord): SessionView {
  const reason = record.removeBy === undefined ? record.reason : 'removing';
  const link = linkOfSession(record);
  return {
    id: record.sessionId,
    ...(record.name === undefined ? {} : { name: record.name }),
    status: record.status,
    ...(reason === undefined ? {} : { reason }),
    since: isoTime(record.since),
    ...(record.worker === undefined ? {} : { worker: record.worker }),
    ...(record.phone === undefined ? {} : { phone: record.phone }),
    ...(link === undefined ? {} : { link }),
    ...(record.lastStanzaAt === undefined ? {} : { lastStanzaAt: isoTime(record.lastStanzaAt) }),
    ...(record.lastMessageAt === undefined ? {} : { lastMessageAt: isoTime(record.lastMessageAt) }),
  };
}

/** A session with what was set for it. */
export function sessionDetails(record: SessionRecord, set: SettingsRecord): SessionDetails {
  const { settings, metadata, proxy } = set;
  return { ...sessionView(record), settings, metadata, ...(proxy === undefined ? {} : { proxy }) };
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}
