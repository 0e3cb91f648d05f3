import type { SignalDataTypeMap } from '@whiskeysockets/baileys';

type Stored = SignalDataTypeMap['session'];

/** A record of Signal sessions as libsignal stores it; only the parts needed to merge two of them. */
interface StoredRecord {
  readonly version: unknown;
  readonly _sessions: Readonly<Record<string, StoredSession>>;
}

interface StoredSession {
  readonly indexInfo: { readonly closed: number; readonly used: number };
}

/**
 * Returns the sessions of two records in one. The session used last is used to send; the others stay for messages that
 * are on their way. Undefined if either argument is not a record.
 *
 * When Baileys (Signal/libsignal.js, `migrateSession`) moves the sessions of a number to its LID, it replaces the LID's
 * sessions, even if both were in use before it was known that they are one person.
 *
 * Removal condition: `migrateSession` merges both records (docs/upstream.md, 25).
 */
export function mergedRecords(one: Stored | undefined, other: Stored | undefined): Stored | undefined {
  if (!isRecord(one) || !isRecord(other)) return undefined;
  const sessions = { ...one._sessions, ...other._sessions };
  const open = Object.entries(sessions)
    .filter(([, { indexInfo }]) => indexInfo.closed === -1)
    .sort(([, a], [, b]) => b.indexInfo.used - a.indexInfo.used);
  const closed = Date.now();
  for (const [key, session] of open.slice(1)) {
    sessions[key] = { ...session, indexInfo: { ...session.indexInfo, closed } };
  }
  return Object.assign(other, { _sessions: sessions });
}

function isRecord(value: unknown): value is Stored & StoredRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    '_sessions' in value &&
    typeof value._sessions === 'object' &&
    value._sessions !== null &&
    Object.values(value._sessions).every(isSession)
  );
}

function isSession(value: unknown): value is StoredSession {
  if (typeof value !== 'object' || value === null || !('indexInfo' in value)) return false;
  const { indexInfo } = value;
  return typeof indexInfo === 'object' && indexInfo !== null && 'closed' in indexInfo && 'used' in indexInfo;
}
