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

export function placeOfImport({ tenantId, sessionId }: SessionRef): string {
  return `import ${tenantId}/${sessionId}`;
}

/** Seals credentials for the workers, for one session. */
export function sealImport(publicKey: Buffer, ref: SessionRef, { creds, keys }: ImportedCredentials): Buffer {
  const records = Object.fromEntries(
    [...keys].flatMap(([type, ofType]) => [...ofType].map(([id, record]) => [`${type}:${id}`, record])),
  );
  return sealForWorkers(publicKey, encodeAuthValue({ creds, records }), placeOfImport(ref));
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
