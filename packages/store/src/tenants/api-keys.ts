import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  isKeyScope,
  KEY_SCOPES,
  type KeyScope,
  keyIdSchema,
  sessionIdSchema,
  tenantIdSchema,
  WafleetError,
} from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { z } from 'zod';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { madeOrUnknown } from '../redis/made-or-unknown.js';
import { formatCursor, parseCursor } from '../redis/page-cursor.js';
import { asNumber, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import { UnreadableRecords } from '../redis/unreadable-records.js';
import { noTenant } from './tenant-directory.js';

/** The properties of a new key. */
export interface NewApiKey {
  readonly name?: string | undefined;
  /** Default: all. */
  readonly scopes?: readonly KeyScope[] | undefined;
  /** The only sessions that the key can access. Default: all of the tenant. */
  readonly sessions?: readonly string[] | undefined;
  /** When it expires, ms since 1970. Default: never. */
  readonly expiresAt?: number | undefined;
}

/** New values of a key. Null removes one. An absent one stays unchanged. */
export interface ApiKeyChanges {
  readonly name?: string | null | undefined;
  /** ms since 1970. */
  readonly expiresAt?: number | null | undefined;
}

/** A stored key, without its hash. Its name and end may change, and nothing else. */
export interface ApiKeyRecord {
  /** The key's id; not secret. */
  readonly id: string;
  readonly tenantId: string;
  readonly name?: string | undefined;
  readonly scopes: readonly KeyScope[];
  readonly sessions?: readonly string[] | undefined;
  /** ms since 1970. */
  readonly createdAt: number;
  /** ms since 1970. */
  readonly expiresAt?: number | undefined;
  /** When it was last used, up to a minute behind, ms since 1970. */
  readonly lastUsedAt?: number | undefined;
}

export interface ApiKeyPage {
  readonly items: readonly ApiKeyRecord[];
  readonly nextCursor: string | undefined;
}

/** How often the use of a key is noted. */
const NOTE_USE_MS = 60_000;

/**
 * How long an expired key is kept, so that its holder gets the error that it has expired, and the administrator sees it
 * in the list. This is short enough that keys with a life of an hour do not fill Redis.
 */
const EXPIRED_KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** The score, in a tenant's list, of a key that never expires. */
const NEVER = '+inf';

const storeKey = new Script('tenants/store-api-key', asText);
const deleteKey = new Script('tenants/delete-api-key', asText);
const registerKey = new Script('tenants/register-api-key', asNumber);
const changeKey = new Script('tenants/change-api-key', asNumber);
const noteUse = new Script('tenants/note-key-use', asNumber);

const listSchema = z.string().transform((text) => text.split(' ').filter((item) => item !== ''));
function isSessionId(text: string): boolean {
  return sessionIdSchema.safeParse(text).success;
}

/** Up to the last millisecond that a Date can hold. */
const instant = z.coerce.number().min(0).max(8.64e15);
const recordSchema = z.object({
  id: keyIdSchema,
  tenantId: tenantIdSchema,
  name: z.string().trim().min(1).max(100).optional().catch(undefined),
  scopes: listSchema.transform((list) => list.filter(isKeyScope)).default([...KEY_SCOPES]),
  sessions: listSchema.transform((list) => list.filter(isSessionId)).optional(),
  createdAt: instant,
  expiresAt: instant.optional(),
  lastUsedAt: instant.optional().catch(undefined),
});

interface HashedKey {
  /** The part of the hash by which the key is found. */
  readonly lookup: string;
  /** The whole hash, which proves the key. */
  readonly hash: string;
}

function hashKey(key: string): HashedKey {
  const hash = createHash('sha256').update(key).digest('hex');
  return { lookup: hash.slice(0, hash.length / 2), hash };
}

function isSameHash(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * The API keys of all tenants. Only SHA-256 hashes are stored: generated keys have 256 random bits, which cannot be
 * guessed even with a fast hash. A key is found by the first half of its hash and proven by the whole hash, compared in
 * constant time, so that the time of an answer reveals nothing about the second half.
 */
export class ApiKeys {
  readonly #redis: RedisConnection;
  readonly #unreadable: UnreadableRecords;

  /** @param options.logger logs the names of unreadable keys, each once in five minutes. */
  constructor(redis: RedisConnection, options: { logger?: Logger } = {}) {
    this.#redis = redis;
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /**
   * Creates a key. `key`, the secret, cannot be read again.
   * @throws {WafleetError} OUTCOME_UNKNOWN if the command was sent and got no answer; TENANT_NOT_FOUND if the tenant is
   * being removed.
   */
  async create(tenantId: string, options: NewApiKey = {}): Promise<ApiKeyRecord & { readonly key: string }> {
    const key = `wf_${randomBytes(32).toString('base64url')}`;
    const createdAt = Date.now();
    const { id } = await this.#store(tenantId, key, options, createdAt);
    const { name, scopes = KEY_SCOPES, sessions, expiresAt } = options;
    return { id, key, tenantId, name, scopes, sessions, createdAt, expiresAt };
  }

  /**
   * Stores a key that the caller chose, which should be as hard to guess as a generated one. If the tenant already has
   * the key, leaves it unchanged and returns its id.
   * @throws {Error} if the key belongs to another tenant.
   */
  async import(
    tenantId: string,
    { key, ...options }: NewApiKey & { readonly key: string },
  ): Promise<{ id: string }> {
    return this.#store(tenantId, key, options, Date.now());
  }

  /** Returns the tenant's keys, oldest first, including those that expired in the last seven days. */
  async list(tenantId: string): Promise<ApiKeyRecord[]> {
    const ids = await this.ids(tenantId);
    const found = await Promise.all(ids.map((id) => this.find(id)));
    return found
      .filter((record) => record !== undefined)
      .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  }

  /**
   * One page of the tenant's keys, in the same order. Costs a read of each key of the tenant.
   * @throws {WafleetError} VALIDATION_FAILED if the cursor was not issued here.
   */
  async page(
    tenantId: string,
    request: {
      readonly limit: number;
      readonly cursor?: string | undefined;
      readonly matches?: (key: ApiKeyRecord) => boolean;
    },
  ): Promise<ApiKeyPage> {
    const { limit, cursor, matches = () => true } = request;
    const { at, id } = cursor === undefined ? { at: '', id: '' } : parseCursor(cursor);
    const isAfter = (key: ApiKeyRecord) =>
      key.createdAt > Number(at) || (key.createdAt === Number(at) && key.id > id);
    const rest = (await this.list(tenantId)).filter((key) => isAfter(key) && matches(key));
    const items = rest.slice(0, limit);
    const last = rest.length > limit ? items.at(-1) : undefined;
    return { items, nextCursor: last && formatCursor({ at: String(last.createdAt), id: last.id }) };
  }

  /** The ids of the tenant's keys, also of those that cannot be read. */
  async ids(tenantId: string): Promise<string[]> {
    return this.#unreadable.readOr(this.#redis.zrange(keys.apiKeys(tenantId), 0, '-1'), [], {
      ...{ kind: 'keys-of-tenant', name: tenantId, tenantId },
    });
  }

  /** @throws {WafleetError} KEY_NOT_FOUND */
  async require(keyId: string): Promise<ApiKeyRecord> {
    const record = await this.find(keyId);
    if (record === undefined) throw unknownId(keyId);
    return record;
  }

  /**
   * Changes a key, and returns it as it is then. Edges use what they have cached for some seconds.
   * @throws {WafleetError} KEY_NOT_FOUND
   */
  async change(keyId: string, changes: ApiKeyChanges): Promise<ApiKeyRecord> {
    const record = await this.require(keyId);
    const lookup = await this.#lookupOf(keyId);
    if (lookup === undefined) throw unknownId(keyId);
    const expiresAt = changes.expiresAt === undefined ? record.expiresAt : (changes.expiresAt ?? undefined);
    const { name, expiresAt: end } = changes;
    // Whatever finds the key must not end before the key: a key without its id cannot be revoked.
    const isLater = (expiresAt ?? Number.POSITIVE_INFINITY) > (record.expiresAt ?? Number.POSITIVE_INFINITY);
    if (isLater) await this.#keepIdUntil(record, expiresAt);
    const changed = await changeKey.run(
      this.#redis,
      [keys.apiKey(lookup)],
      [
        ...[keyId, forgottenAtOf(expiresAt) ?? ''],
        ...(name === undefined ? [] : ['name', name ?? '']),
        ...(end === undefined ? [] : ['expiresAt', end ?? '']),
      ],
    );
    if (changed === 0) throw unknownId(keyId);
    if (!isLater) await this.#keepIdUntil(record, expiresAt);
    return this.require(keyId);
  }

  async #keepIdUntil({ id, tenantId }: ApiKeyRecord, expiresAt: number | undefined): Promise<void> {
    const forgottenAt = forgottenAtOf(expiresAt);
    const key = keys.apiKeyId(id);
    await Promise.all([
      this.#redis.zadd(keys.apiKeys(tenantId), 'XX', String(forgottenAt ?? NEVER), id),
      forgottenAt === undefined ? this.#redis.persist(key) : this.#redis.pexpireat(key, forgottenAt),
    ]);
  }

  /**
   * Makes a key invalid for all calls from now on. If it rejects with an error other than KEY_NOT_FOUND, the key may be
   * invalid nevertheless. A repeated call is safe, and completes an interrupted one.
   * @throws {WafleetError} KEY_NOT_FOUND
   */
  async revoke(keyId: string): Promise<void> {
    const lookup = await this.#lookupOf(keyId);
    if (lookup === undefined) {
      await this.#redis.del(keys.apiKeyId(keyId));
      throw unknownId(keyId);
    }
    const { tenantId } = await this.#read(lookup);
    // The script returns '' if the key is already gone, because of an earlier call, or of this command if it was resent
    // after its answer was lost with the connection. '' does not mean that the key never existed.
    await deleteKey.run(this.#redis, [keys.apiKey(lookup)], [keyId]);
    if (tenantId !== undefined) await this.#redis.zrem(keys.apiKeys(tenantId), keyId);
    // Deleted last, since a repeated call finds the key by its id.
    await this.#redis.del(keys.apiKeyId(keyId));
  }

  /** Returns when those of the given keys end that were not revoked: ms since 1970, or undefined for never. */
  async ends(keyIds: readonly string[]): Promise<Map<string, number | undefined>> {
    const found = await Promise.all(keyIds.map((id) => this.find(id)));
    return new Map(found.flatMap((key) => (key === undefined ? [] : [[key.id, key.expiresAt]])));
  }

  /**
   * Returns the record of a key. Undefined if the key is unknown or revoked, or if it or its id cannot be read. The
   * caller must check `expiresAt`.
   */
  async authenticate(key: string): Promise<ApiKeyRecord | undefined> {
    const { lookup, hash } = hashKey(key);
    const stored = await this.#read(lookup);
    if (!isSameHash(stored.hash ?? '', hash)) return undefined;
    const record = this.#parse(stored);
    if (record === undefined) return undefined;
    // A key is revoked by its id. A key with a damaged id could be used but not revoked.
    if ((await this.#lookupOf(record.id)) !== lookup) {
      this.#unreadable.report({ kind: 'api-key-id', name: record.id, keyId: record.id });
      return undefined;
    }
    if (stored.scopes === undefined) {
      // Keys of releases without lists are in no list until they are used. A removal of the tenant has not found them.
      if ((await this.#redis.exists(keys.tenant(record.tenantId))) === 0) return undefined;
      await this.#redis.zadd(keys.apiKeys(record.tenantId), NEVER, record.id);
    }
    const now = Date.now();
    if (now - (record.lastUsedAt ?? 0) >= NOTE_USE_MS) {
      // The answer does not wait for it, and does not depend on it.
      noteUse.run(this.#redis, [keys.apiKey(lookup)], [record.id, now]).catch(() => {});
    }
    return record;
  }

  /** Undefined if there is no key of this id, or it cannot be read. It may have expired. */
  async find(keyId: string): Promise<ApiKeyRecord | undefined> {
    const lookup = await this.#lookupOf(keyId);
    if (lookup === undefined) return undefined;
    const stored = await this.#read(lookup);
    return stored.id === keyId ? this.#parse(stored) : undefined;
  }

  /** Returns the lookup part of the key with this id. Undefined if the id is unknown or its record has another type. */
  async #lookupOf(keyId: string): Promise<string | undefined> {
    const read = this.#redis.get(keys.apiKeyId(keyId));
    const record = { kind: 'api-key-id', name: keyId, keyId };
    return (await this.#unreadable.readOr(read, null, record)) ?? undefined;
  }

  /** Returns an empty object if there is no record or it has another type. */
  #read(lookup: string): Promise<Record<string, string>> {
    const read = this.#redis.hgetall(keys.apiKey(lookup));
    return this.#unreadable.readOr(read, {}, { kind: 'api-key', name: lookup });
  }

  /** Returns undefined if this release cannot read the key. Such a key grants nothing and does not hide the others. */
  #parse(stored: Readonly<Record<string, string>>): ApiKeyRecord | undefined {
    const { data, error } = recordSchema.safeParse(stored);
    if (data !== undefined) return data;
    const keyId = stored.id ?? '';
    const fields = error.issues.map(({ path }) => path.join('.'));
    this.#unreadable.report({ kind: 'api-key', name: keyId, keyId, fields });
    return undefined;
  }

  /** Writes the id first, so that a crash in between leaves an id without a key, never a key that cannot be revoked. */
  async #store(
    tenantId: string,
    key: string,
    options: NewApiKey,
    createdAt: number,
  ): Promise<{ id: string }> {
    const { name = '', scopes = KEY_SCOPES, sessions, expiresAt } = options;
    const { lookup, hash } = hashKey(key);
    const newId = `key_${randomBytes(9).toString('base64url')}`;
    const forgottenAt = forgottenAtOf(expiresAt);
    const list = keys.apiKeys(tenantId);
    const registered = await registerKey.run(
      this.#redis,
      [list, keys.tenantRemoval(tenantId)],
      [newId, forgottenAt ?? NEVER, createdAt],
    );
    if (registered === 0) throw noTenant(tenantId);
    await (forgottenAt === undefined
      ? this.#redis.set(keys.apiKeyId(newId), lookup)
      : this.#redis.set(keys.apiKeyId(newId), lookup, 'PXAT', forgottenAt));
    const making = storeKey.run(
      this.#redis,
      [keys.apiKey(lookup)],
      [
        forgottenAt ?? '',
        newId,
        hash,
        tenantId,
        ...['createdAt', createdAt, 'scopes', scopes.join(' ')],
        ...(name === '' ? [] : ['name', name]),
        ...(sessions === undefined ? [] : ['sessions', sessions.join(' ')]),
        ...(expiresAt === undefined ? [] : ['expiresAt', expiresAt]),
      ],
    );
    const id = await madeOrUnknown(
      making,
      `GET /api/tenants/${tenantId}/keys lists it if it was. Revoke a new key whose secret you did not get.`,
    );
    if (id !== newId) {
      await this.#redis.del(keys.apiKeyId(newId));
      await this.#redis.zrem(list, newId);
    }
    if (id === '') throw new Error('the API key belongs to another tenant');
    // A removal of the tenant that began meanwhile may have looked for the key before it was stored.
    if ((await this.#redis.exists(keys.tenantRemoval(tenantId))) === 1) {
      await this.revoke(id);
      throw noTenant(tenantId);
    }
    return { id };
  }
}

function forgottenAtOf(expiresAt: number | undefined): number | undefined {
  return expiresAt === undefined ? undefined : expiresAt + EXPIRED_KEPT_MS;
}

function unknownId(keyId: string): WafleetError {
  return new WafleetError('KEY_NOT_FOUND', `There is no API key ${keyId}.`);
}
