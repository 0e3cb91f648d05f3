import type { SessionSettings } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { type Cipher, SealedValueError } from '../auth/cipher.js';
import { sealForWorkers, WorkerBoxes } from '../auth/worker-box.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { SessionRef } from '../redis/session-ref.js';
import { isWrongType, UnreadableRecords } from '../redis/unreadable-records.js';
import { proxyPlace, readPlainSettings, versionOf } from './settings-record.js';

const KEY_ID_BYTES = 4;

const resealProxy = new Script('settings/reseal-proxy', asNumber);

/** The settings of a session, as its worker needs them. */
export interface StoredSettings {
  readonly settings: SessionSettings;
  /** The URL of the proxy, with its password. Undefined: connections are made directly. */
  readonly proxy?: string;
  /** Grows with each change; 0 if nothing was ever set. */
  readonly version: number;
}

/**
 * The session has or may have a proxy that this worker cannot read. It must not connect: directly would be against what
 * was set.
 */
export class ProxyUnreadableError extends Error {
  constructor({ tenantId, sessionId }: SessionRef, options?: ErrorOptions) {
    super(`the proxy of ${tenantId}/${sessionId} cannot be read`, options);
    this.name = 'ProxyUnreadableError';
  }
}

/** Reads the settings of sessions, for the workers that run them. */
export class SessionSettingsStore {
  readonly #redis: RedisConnection;
  readonly #boxes: WorkerBoxes;
  readonly #unreadable: UnreadableRecords;

  /** @param options.logger logs the names of unreadable records, each once in five minutes. */
  constructor(options: { redis: RedisConnection; cipher: Cipher; logger?: Logger }) {
    this.#redis = options.redis;
    this.#boxes = new WorkerBoxes(options.cipher);
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /**
   * Reads the settings. A setting that cannot be read has its default, and is named in the log.
   * @throws {ProxyUnreadableError}, or an error of the connection to Redis.
   */
  async read(ref: SessionRef): Promise<StoredSettings> {
    const [plain, proxy = null, version] = await this.#fields(ref);
    const { settings, proxy: shown, unreadable } = readPlainSettings(plain?.toString());
    if (unreadable.length > 0) this.#report(ref, unreadable);
    // Both are always written together.
    if (proxy === null && shown !== undefined) throw new ProxyUnreadableError(ref);
    const url = proxy === null ? undefined : await this.#open(ref, proxy);
    return {
      settings,
      version: versionOf(version?.toString()),
      ...(url === undefined ? {} : { proxy: url }),
    };
  }

  /**
   * Reads the versions alone, in the order of the sessions. 0 if nothing was ever set; -1 for a record of another type.
   * Rejects if Redis is unreachable.
   */
  readVersions(refs: readonly SessionRef[]): Promise<number[]> {
    return Promise.all(
      refs.map(async (ref) => {
        try {
          return versionOf(await this.#redis.hget(keys.settings(ref), 'version'));
        } catch (error) {
          if (isWrongType(error)) return -1;
          throw error;
        }
      }),
    );
  }

  async #fields(ref: SessionRef): Promise<(Buffer | null)[]> {
    try {
      return await this.#redis.hmgetBuffer(keys.settings(ref), 'plain', 'proxy', 'version');
    } catch (error) {
      if (!isWrongType(error)) throw error;
      this.#report(ref, []);
      throw new ProxyUnreadableError(ref, { cause: error });
    }
  }

  async #open(ref: SessionRef, sealed: Buffer): Promise<string> {
    const place = proxyPlace(ref);
    let plain: Buffer;
    try {
      plain = this.#boxes.open(sealed, place);
    } catch (error) {
      if (!(error instanceof SealedValueError)) throw error;
      this.#report(ref, ['proxy']);
      throw new ProxyUnreadableError(ref, { cause: error });
    }
    const { publicKey } = this.#boxes;
    const isCurrent = sealed.subarray(1, 1 + KEY_ID_BYTES).equals(publicKey.subarray(0, KEY_ID_BYTES));
    // So that an earlier key can be given up one day. A change that comes meanwhile is kept.
    if (!isCurrent) {
      const resealed = sealForWorkers(publicKey, plain, place);
      await resealProxy.run(this.#redis, [keys.settings(ref)], [sealed, resealed]);
    }
    return plain.toString();
  }

  #report({ tenantId, sessionId }: SessionRef, fields: readonly string[]): void {
    const name = `${tenantId}/${sessionId}`;
    this.#unreadable.report({ kind: 'session-settings', name, tenantId, sessionId, fields });
  }
}
