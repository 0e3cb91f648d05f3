import type { Logger } from '@wafleet/runtime';
import type {
  AuthenticationCreds,
  SignalDataSet,
  SignalDataTypeMap,
  SignalKeyStore,
} from '@whiskeysockets/baileys';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { FencedScript } from '../redis/script.js';
import type { Fence } from '../redis/session-ref.js';
import { UnreadableRecords } from '../redis/unreadable-records.js';
import type { AuthCache, SessionAuthCache } from './auth-cache.js';
import { decodeAuthValue, encodeAuthValue } from './auth-codec.js';
import { type Cipher, type ScopedCipher, SealedValueError } from './cipher.js';
import { CREDS_FIELD, fieldsOfImport, IMPORT_FIELD, placeOfImport } from './imported-credentials.js';
import { isCredentials, isOfSignalType, signalTypeOf } from './signal-records.js';
import { WorkerBoxes } from './worker-box.js';

/** A pre-key is read once, for its only message, and then deleted. Hundreds of them would fill the cache. */
const UNCACHED = /^(creds$|pre-key:|inbox:)/;
/** Pairs of number and LID, which WhatsApp sends again. No read fails because one of them cannot be opened. */
const LEARNT_AGAIN = 'lid-mapping:';
/** How many fields one write reseals. */
const RESEALED_AT_ONCE = 200;
/** How many fields of imported credentials one write stores: Redis and this process are busy for a few ms. */
const UNPACKED_AT_ONCE = 500;
/** How many fields an export reads at a time. */
const READ_AT_ONCE = 500;

const writeAuth = new FencedScript('auth/write-auth', asNumber);
const deleteKeys = new FencedScript('redis/delete-keys', asNumber);

type FieldValues = ReadonlyMap<string, Buffer | undefined>;

/** The credentials of a session in the form that Baileys expects. */
export interface StoredAuthState {
  /** Baileys changes this object in place; `saveCreds` stores its current content. */
  readonly creds: AuthenticationCreds;
  readonly keys: SignalKeyStore;
  /** Nothing was stored, so the credentials are fresh. */
  readonly isNew: boolean;
}

/**
 * The credentials of one session, sealed, in one Redis hash: field `creds`, and `<type>:<id>` for each Signal record.
 *
 * Each write is one fenced script. It is atomic and resolves when Redis has it. Nothing is deferred, since Baileys
 * acknowledges a message to WhatsApp as soon as a write resolves. Writes run one after the other in the order of the
 * calls, for credentials and Signal records alike.
 *
 * Reads may come from a cache, which has a value only after Redis has it. A field that is being written is read from
 * Redis until the write has resolved. A write that failed, or that the fence refused, leaves nothing in the cache. No
 * other process writes under this fence, so cached values equal stored ones.
 *
 * A Signal record that opens but is malformed, as a later release may leave it, counts as missing and is named in the
 * log. Baileys then obtains a new one, as for an unknown peer. If Baileys received the malformed record, it would fail
 * to handle the message and answer with a NACK, and WhatsApp would drop the message.
 */
export class AuthStateStore {
  readonly #redis: RedisConnection;
  readonly #fence: Fence;
  readonly #cipher: Cipher;
  readonly #scope: ScopedCipher;
  readonly #key: string;
  readonly #cache: SessionAuthCache | undefined;
  readonly #isRotating: boolean;
  readonly #unreadable: UnreadableRecords;
  /** Changes whenever a write begins or ends. A read that spans a change may be outdated. */
  #generation = 0;
  #creds: AuthenticationCreds | undefined;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(options: {
    redis: RedisConnection;
    cipher: Cipher;
    fence: Fence;
    cache?: AuthCache;
    /** Receives the names of unreadable records that count as missing. */
    logger?: Logger;
  }) {
    this.#redis = options.redis;
    this.#fence = options.fence;
    this.#cipher = options.cipher;
    this.#scope = options.cipher.sessionScope(options.fence);
    this.#isRotating = options.cipher.isRotating;
    this.#key = keys.auth(options.fence);
    this.#cache = options.cache?.forSession();
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /**
   * Reads the credentials. Imported ones are stored field by field before.
   * @param freshCreds makes credentials for a session that has none, such as Baileys' `initAuthCreds`.
   * @throws {SealedValueError} if the stored value is damaged or was sealed with another key.
   * @throws {Error} if it opens but is malformed.
   */
  async load(freshCreds: () => AuthenticationCreds): Promise<StoredAuthState> {
    this.#cache?.clear();
    const [stored] = (await this.#hasImport()) ? await this.#unpackImport() : await this.#read([CREDS_FIELD]);
    const creds = stored === undefined ? freshCreds() : stored;
    if (!isCredentials(creds)) throw new Error('the stored credentials are malformed');
    this.#creds = creds;
    return {
      creds,
      isNew: stored === undefined,
      keys: { get: (type, ids) => this.#getKeys(type, ids), set: (data) => this.#setKeys(data) },
    };
  }

  /**
   * Returns the records as `keys.set` stored them. Undefined for a missing record and for a pair that cannot be read.
   * @throws if a row of the inbox is malformed.
   */
  readRecords(type: 'inbox' | 'lid-mapping', ids: readonly string[]): Promise<unknown[]> {
    return this.#read(ids.map((id) => `${type}:${id}`));
  }

  /**
   * Stores the credentials that `load` returned, with the content they have when this write's turn comes.
   * @throws {FencedError} if the fence no longer owns the session.
   */
  async saveCreds(): Promise<void> {
    await this.#write(() => {
      if (this.#creds === undefined) throw new Error('the credentials were not loaded');
      return new Map([[CREDS_FIELD, encodeAuthValue(this.#creds)]]);
    });
  }

  /**
   * Reseals with the current key all values that were sealed with another of the cipher's keys. A value that cannot be
   * opened stays unchanged. Does nothing if the cipher has only one key.
   * @throws {FencedError} if the fence no longer owns the session.
   */
  async reseal(): Promise<{ resealed: number; unreadable: number }> {
    const outcome = { resealed: 0, unreadable: 0 };
    if (!this.#isRotating) return outcome;
    // Rows of the inbox are skipped: another script deletes them when it appends their events, and a write here would
    // restore a deleted row.
    const fields = (await this.#redis.hkeys(this.#key)).filter((field) => !field.startsWith('inbox:'));
    for (let from = 0; from < fields.length; from += RESEALED_AT_ONCE) {
      const chunk = fields.slice(from, from + RESEALED_AT_ONCE);
      await this.#inTurn(async () => {
        const { values, unreadable } = await this.#outdated(chunk);
        await this.#writeNow(values);
        outcome.resealed += values.size;
        outcome.unreadable += unreadable;
      });
    }
    return outcome;
  }

  /** Removes this session from the cache. Reads and writes continue without it. */
  discard(): void {
    this.#cache?.close();
  }

  /**
   * Reads everything that is stored, except rows of the decryption journal: a malformed Signal record counts as missing.
   * @throws {SealedValueError} if a value cannot be opened. @throws {Error} if there are no credentials.
   */
  async readAll(): Promise<{ creds: AuthenticationCreds; keys: Map<string, Map<string, unknown>> }> {
    const { creds } = await this.load(() => {
      throw new Error('there are no credentials');
    });
    const keys = new Map<string, Map<string, unknown>>();
    const fields = (await this.#redis.hkeys(this.#key)).filter((field) => signalTypeOf(field) !== undefined);
    for (let from = 0; from < fields.length; from += READ_AT_ONCE) {
      const chunk = fields.slice(from, from + READ_AT_ONCE);
      const values = await this.#readStored(chunk);
      for (const field of chunk) {
        const value = values.get(field);
        const record = value === undefined ? undefined : this.#decode(field, value);
        const [type = ''] = field.split(':', 1);
        const ofType = keys.get(type) ?? new Map<string, unknown>();
        keys.set(type, ofType);
        if (record !== undefined) ofType.set(field.slice(type.length + 1), record);
      }
    }
    return { creds, keys };
  }

  /**
   * Whether the decryption journal has messages that were acknowledged and are not published yet. Rows that no key opens
   * do not count: no session finishes them.
   */
  async hasUnfinished(): Promise<boolean> {
    const rows = (await this.#redis.hkeys(this.#key)).filter((field) => field.startsWith('inbox:'));
    if (rows.length === 0) return false;
    const sealed = await this.#redis.hmgetBuffer(this.#key, ...rows);
    return rows.some((row, index) => {
      const value = sealed[index];
      return value != null && this.#opens(row, value);
    });
  }

  #opens(field: string, sealed: Buffer): boolean {
    try {
      this.#scope.open(sealed, field);
      return true;
    } catch (error) {
      if (error instanceof SealedValueError) return false;
      throw error;
    }
  }

  async #hasImport(): Promise<boolean> {
    return (await this.#redis.hexists(this.#key, IMPORT_FIELD)) === 1;
  }

  /**
   * Stores the fields of imported credentials, sealed as all others, in place of those that edges sealed together. The
   * last write deletes those: a worker that ends before is followed by one that begins again.
   */
  async #unpackImport(): Promise<unknown[]> {
    const box = await this.#redis.hgetBuffer(this.#key, IMPORT_FIELD);
    if (box === null) return this.#read([CREDS_FIELD]);
    const opened = new WorkerBoxes(this.#cipher).open(box, placeOfImport(this.#fence));
    let chunk = new Map<string, Buffer | undefined>();
    for (const [field, value] of fieldsOfImport(opened)) {
      chunk.set(field, value);
      if (chunk.size < UNPACKED_AT_ONCE || field === CREDS_FIELD) continue;
      const full = chunk;
      chunk = new Map();
      await this.#inTurn(() => this.#writeNow(full));
    }
    await this.#write(() => chunk.set(IMPORT_FIELD, undefined));
    return this.#read([CREDS_FIELD]);
  }

  /** The unsealed values of those fields that were sealed with an old key. */
  async #outdated(fields: readonly string[]): Promise<{ values: FieldValues; unreadable: number }> {
    const sealed = await this.#redis.hmgetBuffer(this.#key, ...fields);
    const values = new Map<string, Buffer>();
    let unreadable = 0;
    for (const [index, field] of fields.entries()) {
      const value = sealed[index];
      if (value == null || this.#scope.isCurrent(value)) continue;
      try {
        values.set(field, this.#scope.open(value, field));
      } catch (error) {
        if (!(error instanceof SealedValueError)) throw error;
        unreadable += 1;
      }
    }
    return { values, unreadable };
  }

  async #getKeys<T extends keyof SignalDataTypeMap>(
    type: T,
    ids: string[],
  ): Promise<{ [id: string]: SignalDataTypeMap[T] }> {
    const values = await this.#read(ids.map((id) => `${type}:${id}`));
    const found: { [id: string]: SignalDataTypeMap[T] } = {};
    for (const [index, id] of ids.entries()) {
      const value = values[index];
      // Only #setKeys writes a field of this type, and it writes values of this type.
      if (value !== undefined) found[id] = value as SignalDataTypeMap[T];
    }
    return found;
  }

  async #setKeys(data: SignalDataSet): Promise<void> {
    const fields = new Map<string, Buffer | undefined>();
    for (const [type, records] of Object.entries(data)) {
      for (const [id, value] of Object.entries(records)) {
        fields.set(`${type}:${id}`, value == null ? undefined : encodeAuthValue(value));
      }
    }
    await this.#write(() => fields);
  }

  async #read(fields: readonly string[]): Promise<unknown[]> {
    const cached = fields.map((field) => this.#cache?.get(field));
    const missing = fields.filter((_, index) => cached[index] === undefined);
    const stored = missing.length === 0 ? undefined : await this.#readStored(missing);
    return fields.map((field, index) => {
      const value = cached[index] === undefined ? stored?.get(field) : cached[index].value;
      return value === undefined ? undefined : this.#decode(field, value);
    });
  }

  /** Returns undefined for a malformed Signal record. @throws for malformed credentials and rows of the inbox. */
  #decode(field: string, value: Buffer): unknown {
    const type = signalTypeOf(field);
    if (type === undefined) return decodeAuthValue(value);
    try {
      const record = decodeAuthValue(value);
      if (isOfSignalType(type, record)) return record;
    } catch {
      // Malformed text.
    }
    this.#report(field);
    return undefined;
  }

  /** Returns undefined for a pair that cannot be opened. @throws {SealedValueError} for any other record. */
  #open(field: string, sealed: Buffer): Buffer | undefined {
    try {
      return this.#scope.open(sealed, field);
    } catch (error) {
      if (!(error instanceof SealedValueError) || !field.startsWith(LEARNT_AGAIN)) throw error;
      this.#report(field);
      return undefined;
    }
  }

  #report(field: string): void {
    const { tenantId, sessionId } = this.#fence;
    this.#unreadable.report({ kind: 'credential', name: field, tenantId, sessionId });
  }

  async #readStored(fields: readonly string[]): Promise<FieldValues> {
    const generation = this.#generation;
    const sealed = await this.#redis.hmgetBuffer(this.#key, ...fields);
    const values = new Map<string, Buffer | undefined>();
    for (const [index, field] of fields.entries()) {
      const value = sealed[index];
      values.set(field, value == null ? undefined : this.#open(field, value));
    }
    if (generation === this.#generation) this.#remember(values);
    return values;
  }

  /** Writes fields in turn; a field without a value is deleted. */
  #write(snapshot: () => FieldValues): Promise<void> {
    return this.#inTurn(async () => {
      const fields = snapshot();
      this.#generation += 1;
      for (const field of fields.keys()) this.#cache?.delete(field);
      try {
        await this.#writeNow(fields);
        this.#remember(fields);
      } catch (error) {
        // The content of Redis is now unknown, or another owner wrote it.
        this.#cache?.clear();
        throw error;
      } finally {
        this.#generation += 1;
      }
    });
  }

  #remember(fields: FieldValues): void {
    for (const [field, value] of fields) {
      if (!UNCACHED.test(field)) this.#cache?.put(field, value);
    }
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#lastWrite.then(work);
    // A failed write must not fail those after it: the fence checks each of them.
    this.#lastWrite = turn.catch(() => undefined);
    await turn;
  }

  async #writeNow(fields: FieldValues): Promise<void> {
    if (fields.size === 0) return;
    const values: (string | Buffer)[] = [];
    const deleted: string[] = [];
    for (const [field, value] of fields) {
      if (value === undefined) deleted.push(field);
      else values.push(field, this.#scope.seal(value, field));
    }
    await writeAuth.run(
      this.#redis,
      keys.owner(this.#fence),
      this.#fence,
      [this.#key],
      [values.length / 2, ...values, ...deleted],
    );
  }
}

/**
 * Deletes a session's credentials, its QR code, its recent messages and files, and its lists of chats and contacts, after
 * a logout: the session can be linked again and keeps its directory entry.
 * @throws {FencedError} if the fence no longer owns the session.
 */
export async function deleteAuthState(redis: RedisConnection, fence: Fence): Promise<void> {
  const doomed = [
    keys.auth(fence),
    keys.qr(fence),
    ...keys.messages(fence),
    ...keys.media(fence),
    ...keys.secrets(fence),
    ...keys.finished(fence),
    ...keys.lists(fence),
  ];
  await deleteKeys.run(redis, keys.owner(fence), fence, doomed, []);
}
