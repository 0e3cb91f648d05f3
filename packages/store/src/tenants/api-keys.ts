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
import { asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import { UnreadableRecords } from '../redis/unreadable-records.js';

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

/** A stored key, without its hash. It never changes. */
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
}

/**
 * How long an expired key is kept, so that its holder gets the error that it has expired, and the administrator sees it
 * in the list. This is short enough that keys with a life of an hour do not fill Redis.
 */
const EXPIRED_KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** The score, in a tenant's list, of a key that never expires. */
const NEVER = '+inf';

const storeKey = new Script('tenants/store-api-key', asText);
const deleteKey = new Script('tenants/delete-api-key', asText);

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
   * @throws {WafleetError} OUTCOME_UNKNOWN if the command was sent and got no answer.
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
    const ids = await this.#unreadable.readOr(this.#redis.zrange(keys.apiKeys(tenantId), 0, '-1'), [], {
      ...{ kind: 'keys-of-tenant', name: tenantId, tenantId },
    });
    const found = await Promise.all(ids.map((id) => this.#find(id)));
    return found
      .filter((record) => record !== undefined)
      .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
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
      throw new WafleetError('KEY_NOT_FOUND', `There is no API key ${keyId}.`);
    }
    const { tenantId } = await this.#read(lookup);
    // The script returns '' if the key is already gone, because of an earlier call, or of this command if it was resent
    // after its answer was lost with the connection. '' does not mean that the key never existed.
    await deleteKey.run(this.#redis, [keys.apiKey(lookup)], [keyId]);
    if (tenantId !== undefined) await this.#redis.zrem(keys.apiKeys(tenantId), keyId);
    // Deleted last, since a repeated call finds the key by its id.
    await this.#redis.del(keys.apiKeyId(keyId));
  }

  /** Returns those of the given key ids that were not revoked. They may have expired. */
  async valid(keyIds: readonly string[]): Promise<Set<string>> {
    const found = await Promise.all(keyIds.map((id) => this.#isStored(id)));
    return new Set(keyIds.filter((_, index) => found[index]));
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
    // Keys of releases without lists are in no list until they are used.
    if (stored.scopes === undefined) await this.#redis.zadd(keys.apiKeys(record.tenantId), NEVER, record.id);
    return record;
  }

  async #find(keyId: string): Promise<ApiKeyRecord | undefined> {
    const lookup = await this.#lookupOf(keyId);
    if (lookup === undefined) return undefined;
    const stored = await this.#read(lookup);
    return stored.id === keyId ? this.#parse(stored) : undefined;
  }

  /** Whether both a key and its id are stored. An interrupted revocation leaves only the id. */
  async #isStored(keyId: string): Promise<boolean> {
    const lookup = await this.#lookupOf(keyId);
    if (lookup === undefined) return false;
    const read = this.#redis.hget(keys.apiKey(lookup), 'id');
    return (await this.#unreadable.readOr(read, null, { kind: 'api-key', name: lookup })) === keyId;
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
    const forgottenAt = expiresAt === undefined ? undefined : expiresAt + EXPIRED_KEPT_MS;
    const list = keys.apiKeys(tenantId);
    await this.#redis.zremrangebyscore(list, '-inf', String(createdAt));
    await this.#redis.zadd(list, String(forgottenAt ?? NEVER), newId);
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
    return { id };
  }
}
