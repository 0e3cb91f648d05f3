import { Breaks } from './breaks.js';
import { BundleError } from './bundle-error.js';
import { parseRecord } from './json.js';
import { BUNDLE_LIMITS } from './limits.js';
import type { Notes } from './linked-session.js';
import { type NameStyle, parseRecordName, type RecordName } from './record-names.js';
import { asFields, type Fields } from './values.js';

/** Where a session comes from. */
export const SOURCE_FORMATS = ['baileys', 'evolution', 'waha'] as const;

export type SourceFormat = (typeof SOURCE_FORMATS)[number];

/** The content of files by their names: texts, or what a text that is JSON says. */
export type SourceFiles = Readonly<Record<string, unknown>>;

/** A record as it was found, before it is read by its type. */
export interface FoundRecord {
  /** Undefined for the credentials. */
  readonly name: RecordName | undefined;
  readonly value: unknown;
  /** Whether it stood in a row of a database, which some gateways do not keep up to date. */
  readonly isRow: boolean;
}

/** `creds.json` of Baileys, or a column or field that was written to a file. */
const CREDENTIALS_FILE = /^creds(?:\.json|\.txt)?$/;

/**
 * Takes the records out of what a gateway has stored: one file for each, as Baileys, WAHA and Evolution API write them;
 * a list of rows, from WAHA's databases; an object with a field for each, as `redis-cli --json hgetall` prints it, or
 * its lines, field and value in turn. The containers may be mixed: Evolution API has the credentials in a database and
 * the other records elsewhere.
 * @throws {BundleError} too-large, not-json.
 */
export async function findRecords(
  format: SourceFormat,
  files: SourceFiles,
  notes: Notes,
): Promise<FoundRecord[]> {
  const container = new Container(format, notes);
  for (const [path, content] of Object.entries(files)) await container.addFile(path, content);
  return container.records;
}

class Container {
  readonly records: FoundRecord[] = [];
  readonly #format: SourceFormat;
  readonly #notes: Notes;
  readonly #breaks = new Breaks();
  #characters = 0;

  constructor(format: SourceFormat, notes: Notes) {
    this.#format = format;
    this.#notes = notes;
  }

  async addFile(path: string, content: unknown): Promise<void> {
    await this.#breaks.next();
    const file = path.slice(path.lastIndexOf('/') + 1);
    const name = parseRecordName(file.replace(/\.json$/, ''), 'file');
    // A query that finds no row of credentials leaves an empty file: they are elsewhere.
    const isEmpty = typeof content === 'string' && content.trim() === '';
    if (CREDENTIALS_FILE.test(file) && isEmpty && this.#format === 'evolution') return;
    if (CREDENTIALS_FILE.test(file) && !isHash(content)) this.#add('creds', undefined, content, false);
    else if (name !== undefined) this.#add(path, name, content, false);
    else if (this.#format === 'baileys' || file.startsWith('.')) this.#notes.add('unknown-name');
    else await this.#addTable(path, content);
  }

  /** A file with many records. */
  async #addTable(path: string, content: unknown): Promise<void> {
    const parsed = this.#parse(path, content, { mayBeLines: true });
    const fields = asFields(parsed);
    if (Array.isArray(parsed)) for (const row of parsed) await this.#addRow(row);
    else if (fields === undefined) this.#notes.add('unknown-name');
    else await this.#addFields(fields, this.#format === 'waha' ? 'document' : 'plain');
  }

  /** `{id, data}` of WAHA's Postgres, `{key, data}` of its MongoDB, or MongoDB's one document with all records. */
  async #addRow(row: unknown): Promise<void> {
    const fields = asFields(row) ?? {};
    const { id, key, data = fields.value } = fields;
    const name = typeof id === 'string' ? id : key;
    if (typeof name === 'string' && data !== undefined) {
      await this.#addNamed(name, typeof id === 'string' ? 'plain' : 'document', data);
    } else {
      await this.#addFields(fields, 'document');
    }
  }

  async #addFields(fields: Fields, style: NameStyle): Promise<void> {
    for (const [name, value] of Object.entries(fields)) await this.#addNamed(name, style, value);
  }

  async #addNamed(written: string, style: NameStyle, value: unknown): Promise<void> {
    await this.#breaks.next();
    const name = parseRecordName(written, style);
    if (written === 'creds') this.#add('creds', undefined, value, true);
    else if (name === undefined) this.#notes.add('unknown-name');
    else this.#add(written, name, value, true);
  }

  #add(path: string, name: RecordName | undefined, content: unknown, isRow: boolean): void {
    if (this.records.length >= BUNDLE_LIMITS.records || path.length > BUNDLE_LIMITS.nameLength) {
      throw new BundleError('too-large', '', 'There are more records, or longer names, than a session has.');
    }
    try {
      this.records.push({ name, value: unwrapped(this.#parse(path, content)), isRow });
    } catch (error) {
      // Another record than the credentials is learnt again.
      if (name === undefined || !(error instanceof BundleError) || error.problem !== 'not-json') throw error;
      this.#notes.add('malformed');
    }
  }

  #parse(path: string, content: unknown, { mayBeLines = false } = {}): unknown {
    if (typeof content !== 'string') return content;
    this.#characters += content.length;
    if (this.#characters > BUNDLE_LIMITS.bytes) {
      throw new BundleError('too-large', '', 'The texts together are larger than a session is.');
    }
    // Only LIDs are texts of digits. As numbers, long ones would lose digits.
    if (/^\d+$/.test(content)) return content;
    if (mayBeLines && !/^\s*[[{"]/.test(content)) return linesAsFields(content);
    const { value, isRepaired } = parseRecord(content, path);
    if (isRepaired) this.#notes.add('repaired');
    return value;
  }
}

/** Whether an object has the records of a session as its fields. */
function isHash(content: unknown): boolean {
  return 'creds' in (asFields(content) ?? {});
}

/** `HGETALL` of older releases of `redis-cli`: field and value in turn. */
function linesAsFields(text: string): Fields {
  const entries: [string, string][] = [];
  for (let at = 0; at < text.length; ) {
    if (entries.length > BUNDLE_LIMITS.records) {
      throw new BundleError('too-large', '', 'There are more records than a session has.');
    }
    const [name, afterName] = lineAt(text, at);
    const [value, afterValue] = lineAt(text, afterName);
    if (afterName >= text.length) break;
    entries.push([name, value]);
    at = afterValue;
  }
  return Object.fromEntries(entries);
}

/** The line that begins there, and where the next one begins. */
function lineAt(text: string, at: number): [line: string, next: number] {
  const end = text.indexOf('\n', at);
  const line = end < 0 ? text.slice(at) : text.slice(at, end);
  return [line.replace(/\r$/, ''), end < 0 ? text.length : end + 1];
}

/** WAHA's rows repeat their id around the value; a session worker of Evolution API answers with `{"data": text}`. */
function unwrapped(value: unknown): unknown {
  const fields = asFields(value);
  if (fields === undefined || !('data' in fields) || fields.type === 'Buffer' || fields.buffer === true) {
    return value;
  }
  const isEntity = Object.keys(fields).every((name) => name === 'data' || name === 'id' || name === '_id');
  if (!isEntity) return value;
  return typeof fields.data === 'string' && /^\s*[{[]/.test(fields.data)
    ? parseRecord(fields.data, 'data').value
    : fields.data;
}
