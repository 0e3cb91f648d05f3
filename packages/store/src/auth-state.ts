import type {
  AuthenticationCreds,
  SignalDataSet,
  SignalDataTypeMap,
  SignalKeyStore,
} from '@whiskeysockets/baileys';
import { decodeAuthValue, encodeAuthValue } from './auth-codec.js';
import type { Cipher, ScopedCipher } from './cipher.js';
import type { RedisConnection } from './connection.js';
import { keys } from './keyspace.js';
import { asNumber } from './reply.js';
import { FencedScript } from './script.js';
import type { Fence } from './session-ref.js';

const CREDS = 'creds';

const writeAuth = new FencedScript('write-auth', asNumber);
const deleteKeys = new FencedScript('delete-keys', asNumber);

type FieldValues = ReadonlyMap<string, Buffer | undefined>;

/** The credentials of a session as Baileys takes them. */
export interface StoredAuthState {
  /** Baileys changes this object in place; `saveCreds` stores what it holds then. */
  readonly creds: AuthenticationCreds;
  readonly keys: SignalKeyStore;
  /** Nothing was stored: the credentials are fresh ones. */
  readonly isNew: boolean;
}

/**
 * The credentials of one session, sealed, in one Redis hash: field `creds`, and `<type>:<id>` for each Signal record.
 *
 * Each write is one fenced script, done in full or not at all, and resolves when Redis has it: nothing is cached or
 * deferred, since Baileys acknowledges a message to WhatsApp as soon as a write resolves. Writes are carried out one
 * after the other in the order they were asked for, credentials and Signal records alike.
 */
export class AuthStateStore {
  readonly #redis: RedisConnection;
  readonly #fence: Fence;
  readonly #scope: ScopedCipher;
  readonly #key: string;
  #creds: AuthenticationCreds | undefined;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(options: { redis: RedisConnection; cipher: Cipher; fence: Fence }) {
    this.#redis = options.redis;
    this.#fence = options.fence;
    this.#scope = options.cipher.sessionScope(options.fence);
    this.#key = keys.auth(options.fence);
  }

  /**
   * Reads the credentials.
   * @param freshCreds makes credentials for a session that has none, such as Baileys' `initAuthCreds`.
   * @throws {SealedValueError} when the stored value is damaged or was sealed with another key.
   */
  async load(freshCreds: () => AuthenticationCreds): Promise<StoredAuthState> {
    const [stored] = await this.#read([CREDS]);
    // Only saveCreds writes this field, and it writes AuthenticationCreds.
    const creds = stored === undefined ? freshCreds() : (stored as AuthenticationCreds);
    this.#creds = creds;
    return {
      creds,
      isNew: stored === undefined,
      keys: { get: (type, ids) => this.#getKeys(type, ids), set: (data) => this.#setKeys(data) },
    };
  }

  /**
   * Stores the credentials that `load` gave, as they are when this write's turn comes.
   * @throws {FencedError} when the fence is no longer the session's owner.
   */
  async saveCreds(): Promise<void> {
    await this.#write(() => {
      if (this.#creds === undefined) throw new Error('the credentials were not loaded');
      return new Map([[CREDS, encodeAuthValue(this.#creds)]]);
    });
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
    if (fields.length === 0) return [];
    const sealed = await this.#redis.hmgetBuffer(this.#key, ...fields);
    return fields.map((field, index) => {
      const value = sealed[index];
      return value == null ? undefined : decodeAuthValue(this.#scope.open(value, field));
    });
  }

  /** Writes fields in turn; a field without a value is deleted. */
  async #write(snapshot: () => FieldValues): Promise<void> {
    const turn = this.#lastWrite.then(() => this.#writeNow(snapshot()));
    // One failed write must not fail those after it: each meets the fence itself.
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
 * Deletes a session's credentials, its QR code and its recent messages, after a logout: the session can be linked
 * again and keeps its directory entry.
 * @throws {FencedError} when the fence is no longer the session's owner.
 */
export async function deleteAuthState(redis: RedisConnection, fence: Fence): Promise<void> {
  const doomed = [keys.auth(fence), keys.qr(fence), ...keys.messages(fence)];
  await deleteKeys.run(redis, keys.owner(fence), fence, doomed, []);
}
