/** A decrypted and unfinished message, as it is stored beside the Signal records. */
export interface JournalRow {
  /** The session's message counter, which orders the rows. */
  readonly number: number;
  readonly stanza: Uint8Array;
  /** By the digest of the ciphertext. */
  readonly plaintexts: Readonly<Record<string, Uint8Array>>;
}

/** Whether a stored value has the form of a row. */
export function isInboxRow(value: unknown): value is JournalRow {
  if (typeof value !== 'object' || value === null) return false;
  if (!('number' in value && 'stanza' in value && 'plaintexts' in value)) return false;
  const { number, stanza, plaintexts } = value;
  return (
    typeof number === 'number' &&
    stanza instanceof Uint8Array &&
    typeof plaintexts === 'object' &&
    plaintexts !== null &&
    Object.values(plaintexts).every((plaintext) => plaintext instanceof Uint8Array)
  );
}

/** Whether a stored value equals this row. */
export function isSameRow(value: unknown, { number, plaintexts }: JournalRow): boolean {
  if (!isInboxRow(value) || value.number !== number) return false;
  return Object.keys(plaintexts).every((digest) => Object.hasOwn(value.plaintexts, digest));
}

/** A row of the journal, and what has become of its message. */
export class JournalEntry {
  readonly row: JournalRow;
  /** The number of its place in the journal. */
  readonly id: string;
  /**
   * - `left`: another process or an earlier connection left it unfinished. The next connection begins with it, whether
   * WhatsApp sends it again or not.
   * - `begun`: a connection is processing it.
   * - `handed-out`: its events are on their way to the log.
   */
  state: 'left' | 'begun' | 'handed-out';
  readonly #entries: Map<string, JournalEntry>;

  /** @param entries the entries of the journal by id; this one is added. */
  constructor(
    entries: Map<string, JournalEntry>,
    { id, row, state }: Pick<JournalEntry, 'id' | 'row' | 'state'>,
  ) {
    this.#entries = entries;
    this.id = id;
    this.row = row;
    this.state = state;
    entries.set(id, this);
  }

  /** The field of the credentials that holds the row. */
  get field(): string {
    return `inbox:${this.id}`;
  }

  /** The field was deleted: its place is free. */
  deleted(): void {
    this.#entries.delete(this.id);
  }
}
