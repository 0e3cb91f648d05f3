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
