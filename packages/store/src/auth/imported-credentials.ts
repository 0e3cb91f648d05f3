import { setImmediate } from 'node:timers/promises';
import type { SessionRef } from '../redis/session-ref.js';
import { decodeAuthValue, encodeAuthValue } from './auth-codec.js';
import { isCredentials, isOfSignalType, signalTypeOf } from './signal-records.js';
import { sealForWorkers } from './worker-box.js';

/** The field of a session's credentials that names its keys and its account. */
export const CREDS_FIELD = 'creds';

/** The field of a session's credentials that has imported ones until its first worker stores them one by one. */
export const IMPORT_FIELD = 'import';

/** Credentials in the form of Baileys 7: `creds`, and Signal records by type and id. */
export interface ImportedCredentials {
  readonly creds: object;
  readonly keys: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
}

/** A few ms of work, unless one of them is large: half of them are records. */
const ENCODED_AT_ONCE = 200;
const ENCODED_FOR_MS = 10;
const COMMA = Buffer.from(',');
/** Of the records, and of the object that has them and the credentials. */
const END = Buffer.from('}}');

export function placeOfImport({ tenantId, sessionId }: SessionRef): string {
  return `import ${tenantId}/${sessionId}`;
}

/** Seals credentials for the workers, for one session. Encodes them in small steps. */
export async function sealImport(
  publicKey: Buffer,
  ref: SessionRef,
  credentials: ImportedCredentials,
): Promise<Buffer> {
  return sealForWorkers(publicKey, await encodeImport(credentials), placeOfImport(ref));
}

/** The same as `encodeAuthValue({ creds, records })`, where the records have names as `<type>:<id>`. */
async function encodeImport({ creds, keys }: ImportedCredentials): Promise<Buffer> {
  const parts: Uint8Array[] = [encodeAuthValue({ creds, records: {} }).subarray(0, -END.length)];
  let since = performance.now();
  for (const [type, ofType] of keys) {
    for (const [id, record] of ofType) {
      if (parts.length > 1) parts.push(COMMA);
      // Without the byte before it and without its braces.
      parts.push(encodeAuthValue({ [`${type}:${id}`]: record }).subarray(2, -1));
      if (parts.length % ENCODED_AT_ONCE !== 0 && performance.now() - since < ENCODED_FOR_MS) continue;
      await setImmediate();
      since = performance.now();
    }
  }
  return Buffer.concat([...parts, END]);
}

/**
 * Yields the encoded value of each field of the credentials, `creds` last.
 * @param opened the content of the box.
 * @throws {Error} before the first one, if the credentials are malformed. Malformed records are left out, as when they
 * are read.
 */
export function* fieldsOfImport(opened: Buffer): Generator<[field: string, value: Buffer]> {
  const content = decodeAuthValue(opened);
  const { creds, records } = isContent(content) ? content : {};
  if (!isCredentials(creds)) throw new Error('the imported credentials are malformed');
  for (const [field, record] of Object.entries(records ?? {})) {
    const type = signalTypeOf(field);
    if (type !== undefined && isOfSignalType(type, record)) yield [field, encodeAuthValue(record)];
  }
  yield [CREDS_FIELD, encodeAuthValue(creds)];
}

function isContent(value: unknown): value is { readonly creds?: unknown; readonly records?: object } {
  return typeof value === 'object' && value !== null;
}
