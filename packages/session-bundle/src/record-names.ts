/** The types of Signal records, those with a longer name before those whose name they begin with. */
export const RECORD_TYPES = [
  'app-state-sync-version',
  'app-state-sync-key',
  'sender-key-memory',
  'sender-key',
  'lid-mapping',
  'device-list',
  'identity-key',
  'tctoken',
  'pre-key',
  'session',
] as const;

export type RecordType = (typeof RECORD_TYPES)[number];

/** What a record is of: its type and its id. */
export interface RecordName {
  readonly type: RecordType;
  readonly id: string;
}

/**
 * How a container writes the names of records. `plain`: unchanged. `file`: `/` as `__` and `:` as `-`, as Baileys names
 * files. `document`: `.` as `-`, as WAHA names fields of MongoDB.
 */
export type NameStyle = 'plain' | 'file' | 'document';

/** Returns undefined for a name that is not of a Signal record. */
export function parseRecordName(name: string, style: NameStyle): RecordName | undefined {
  const type = RECORD_TYPES.find((known) => name.startsWith(`${known}-`) && name.length > known.length + 1);
  if (type === undefined) return undefined;
  const written = name.slice(type.length + 1);
  return { type, id: style === 'plain' ? written : UNDO[style](type, written) };
}

const UNDO: Readonly<Record<'file' | 'document', (type: RecordType, written: string) => string>> = {
  file: (type, written) => {
    // Base64 has no underscore; no id of another type has a slash.
    if (type === 'app-state-sync-key') return written.replaceAll('__', '/');
    // <group>::<user>::<device>. The ids of old groups have a hyphen themselves.
    if (type === 'sender-key') return written.replace(/--([0-9]+(?:_[0-9]+)?)--([0-9]+)$/, '::$1::$2');
    return written;
  },
  document: (type, written) => {
    if (type === 'session' || type === 'identity-key') return written.replace(/-([0-9]+)$/, '.$1');
    return written.replace(/@(s-whatsapp-net|g-us|hosted-lid)/, (domain) => domain.replaceAll('-', '.'));
  },
};
