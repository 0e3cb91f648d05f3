import type { Logger } from '@wafleet/runtime';
import { sealForWorkers } from '../auth/worker-box.js';
import { readWorkerBoxKey } from '../auth/worker-box-key.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { SessionRef } from '../redis/session-ref.js';
import { isWrongType, UnreadableRecords } from '../redis/unreadable-records.js';
import { notFound } from '../sessions/session-directory.js';
import { type PlainSettings, proxyPlace, readPlainSettings, versionOf } from './settings-record.js';

const writeSettings = new Script('settings/write-settings', asNumber);

/** What is stored of a session's settings, without secrets. */
export interface SettingsRecord extends PlainSettings {
  /** Names the state that was read, for `replace`. */
  readonly version: number;
}

/** New values. What is undefined stays, and null removes. */
export interface SettingsReplacement {
  readonly name?: string | null | undefined;
  /** The readable part as a whole; see `PlainSettings.stored`. */
  readonly plain: Readonly<Record<string, unknown>>;
  /** The URL of the proxy. */
  readonly proxy?: string | null | undefined;
}

/** Shows and changes the settings of sessions, for processes that cannot open secrets. */
export class SessionSettingsRecords {
  readonly #redis: RedisConnection;
  readonly #unreadable: UnreadableRecords;

  /** @param options.logger logs the names of unreadable records, each once in five minutes. */
  constructor(redis: RedisConnection, options: { logger?: Logger } = {}) {
    this.#redis = redis;
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /** Reads what is stored; all defaults if nothing was ever set. A record of another type counts as empty. */
  async read(ref: SessionRef): Promise<SettingsRecord> {
    const [plain, version] = await this.#redis
      .hmget(keys.settings(ref), 'plain', 'version')
      .catch((error: unknown) => {
        if (isWrongType(error)) return [undefined, null];
        throw error;
      });
    const record = readPlainSettings(plain ?? undefined);
    const unreadable = plain === undefined ? [] : record.unreadable;
    if (plain === undefined || unreadable.length > 0) {
      const name = `${ref.tenantId}/${ref.sessionId}`;
      this.#unreadable.report({ kind: 'session-settings', name, ...ref, fields: unreadable });
    }
    return { ...record, version: versionOf(version) };
  }

  /**
   * Replaces what is stored, unless it has changed since it was read. The sealed proxy is bound to its session.
   * @returns whether it was replaced.
   * @throws {WafleetError} SESSION_NOT_FOUND; UNAVAILABLE if a proxy is given and no worker has published its key.
   */
  async replace(ref: SessionRef, version: number, replacement: SettingsReplacement): Promise<boolean> {
    const { name, plain, proxy } = replacement;
    const written = await writeSettings.run(
      this.#redis,
      [keys.session(ref), keys.settings(ref)],
      [
        version,
        ...[name === undefined ? 'keep' : name === null ? 'clear' : 'set', name ?? ''],
        JSON.stringify(plain),
        ...[proxy === undefined ? 'keep' : proxy === null ? 'clear' : 'set'],
        await this.sealProxy(ref, proxy ?? undefined),
      ],
    );
    if (written === 0) throw notFound(ref);
    return written > 0;
  }

  /** Whether it is certain that the session has no proxy. */
  async hasNoProxy(ref: SessionRef): Promise<boolean> {
    try {
      const [plain, proxy] = await this.#redis.hmget(keys.settings(ref), 'plain', 'proxy');
      const { stored, unreadable } = readPlainSettings(plain ?? undefined);
      return proxy === null && stored.proxy === undefined && !unreadable.includes('plain');
    } catch (error) {
      if (isWrongType(error)) return false;
      throw error;
    }
  }

  /** Seals the URL of a proxy for its session; '' for undefined. @throws {WafleetError} UNAVAILABLE */
  async sealProxy(ref: SessionRef, proxy: string | undefined): Promise<Buffer | ''> {
    if (proxy === undefined) return '';
    const publicKey = await readWorkerBoxKey(this.#redis);
    return sealForWorkers(publicKey, Buffer.from(proxy), proxyPlace(ref));
  }
}
