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

/** What a key is made with. */
export interface NewApiKey {
  readonly name?: string | undefined;
  /** Default: all. */
  readonly scopes?: readonly KeyScope[] | undefined;
  /** The only sessions that exist for the key; undefined for all of the tenant. */
  readonly sessions?: readonly string[] | undefined;
  /** When it ends, ms since 1970; undefined for never. */
  readonly expiresAt?: number | undefined;
}

/** A key as it is stored, without its hash. It never changes. */
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
 * How long an expired key is kept, so that its holder is told that it has expired, and the administrator sees it in
 * the list. Keys that are made for an hour each do not fill Redis.
 */
const EXPIRED_KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** The score in a tenant's list of a key that is not forgotten by itself. */
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
  /** Finds the key. */
  readonly lookup: string;
  /** Proves it. */
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
 * The API keys of all tenants. Only SHA-256 hashes are stored: generated keys hold 256 random bits, which no guessing
 * of a fast hash can find. A key is found by the first half of its hash and proven by the whole, compared in constant
 * time, so that the time of an answer tells nothing about the half that was not looked up.
 */
export class ApiKeys {
  readonly #redis: RedisConnection;
  readonly #unreadable: UnreadableRecords;

  /** @param options.logger names the keys that cannot be read, each once in a while. */
  constructor(redis: RedisConnection, options: { logger?: Logger } = {}) {
    this.#redis = redis;
    this.#unreadable = new UnreadableRecords(options.logger);
  }

  /**
   * Makes a key. `key`, the secret, cannot be read again.
   * @throws {WafleetError} OUTCOME_UNKNOWN if Redis was asked and did not answer.
   */
  async create(tenantId: string, options: NewApiKey = {}): Promise<ApiKeyRecord & { readonly key: string }> {
    const key = `wf_${randomBytes(32).toString('base64url')}`;
    const createdAt = Date.now();
    const { id } = await this.#store(tenantId, key, options, createdAt);
    const { name, scopes = KEY_SCOPES, sessions, expiresAt } = options;
    return { id, key, tenantId, name, scopes, sessions, createdAt, expiresAt };
  }

  /**
   * Takes a key of the caller's choosing, which should be as hard to guess as a generated one. A key that the tenant
   * has already is left as it is, and its id is given.
   * @throws {Error} when the key is another tenant's.
   */
  async import(
    tenantId: string,
    { key, ...options }: NewApiKey & { readonly key: string },
  ): Promise<{ id: string }> {
    return this.#store(tenantId, key, options, Date.now());
  }

  /** The tenant's keys, oldest first; those that expired in the last seven days too. */
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
   * Makes a key invalid for all calls from now on. If it rejects with anything else than KEY_NOT_FOUND, the
   * key may be invalid all the same; calling it again is safe, and ends what was begun.
   * @throws {WafleetError} KEY_NOT_FOUND
   */
  async revoke(keyId: string): Promise<void> {
    const lookup = await this.#lookupOf(keyId);
    if (lookup === undefined) {
      await this.#redis.del(keys.apiKeyId(keyId));
      throw new WafleetError('KEY_NOT_FOUND', `There is no API key ${keyId}.`);
    }
    const { tenantId } = await this.#read(lookup);
    // Says '' if the key is gone already: by an earlier call, or by this command, whose answer was lost with its
    // connection. It does not tell that there was no key.
    await deleteKey.run(this.#redis, [keys.apiKey(lookup)], [keyId]);
    if (tenantId !== undefined) await this.#redis.zrem(keys.apiKeys(tenantId), keyId);
    // Last, since the key is found by it again.
    await this.#redis.del(keys.apiKeyId(keyId));
  }

  /** Those of the given key ids that were not revoked; they may have expired. */
  async valid(keyIds: readonly string[]): Promise<Set<string>> {
    const found = await Promise.all(keyIds.map((id) => this.#isStored(id)));
    return new Set(keyIds.filter((_, index) => found[index]));
  }

  /**
   * Whose key it is; undefined when it is unknown or revoked, or when it or its id cannot be read. Whether it has expired
   * is for the caller to see, by `expiresAt`.
   */
  async authenticate(key: string): Promise<ApiKeyRecord | undefined> {
    const { lookup, hash } = hashKey(key);
    const stored = await this.#read(lookup);
    if (!isSameHash(stored.hash ?? '', hash)) return undefined;
    const record = this.#parse(stored);
    if (record === undefined) return undefined;
    // Its id is what it is revoked by. With a damaged one it could be used, and not revoked.
    if ((await this.#lookupOf(record.id)) !== lookup) {
      this.#unreadable.report({ kind: 'api-key-id', name: record.id, keyId: record.id });
      return undefined;
    }
    // Keys from before there were lists are in none until they are used.
    if (stored.scopes === undefined) await this.#redis.zadd(keys.apiKeys(record.tenantId), NEVER, record.id);
    return record;
  }

  async #find(keyId: string): Promise<ApiKeyRecord | undefined> {
    const lookup = await this.#lookupOf(keyId);
    if (lookup === undefined) return undefined;
    const stored = await this.#read(lookup);
    return stored.id === keyId ? this.#parse(stored) : undefined;
  }

  /** Whether both a key's id and the key are there: a revocation that was interrupted leaves the id. */
  async #isStored(keyId: string): Promise<boolean> {
    const lookup = await this.#lookupOf(keyId);
    if (lookup === undefined) return false;
    const read = this.#redis.hget(keys.apiKey(lookup), 'id');
    return (await this.#unreadable.readOr(read, null, { kind: 'api-key', name: lookup })) === keyId;
  }

  /** Where the key of an id is found. Undefined without the id, and for one of another type. */
  async #lookupOf(keyId: string): Promise<string | undefined> {
    const read = this.#redis.get(keys.apiKeyId(keyId));
    const record = { kind: 'api-key-id', name: keyId, keyId };
    return (await this.#unreadable.readOr(read, null, record)) ?? undefined;
  }

  /** Empty without a record, and for one of another type. */
  #read(lookup: string): Promise<Record<string, string>> {
    const read = this.#redis.hgetall(keys.apiKey(lookup));
    return this.#unreadable.readOr(read, {}, { kind: 'api-key', name: lookup });
  }

  /** Undefined if this release cannot read it: such a key opens nothing, and hides none of the others. */
  #parse(stored: Readonly<Record<string, string>>): ApiKeyRecord | undefined {
    const { data, error } = recordSchema.safeParse(stored);
    if (data !== undefined) return data;
    const keyId = stored.id ?? '';
    const fields = error.issues.map(({ path }) => path.join('.'));
    this.#unreadable.report({ kind: 'api-key', name: keyId, keyId, fields });
    return undefined;
  }

  /** In such an order that a crash in between leaves an id without a key, and never a key that cannot be revoked. */
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
      `GET /api/tenants/${tenantId}/keys tells. Revoke a new key whose secret you did not get.`,
    );
    if (id !== newId) {
      await this.#redis.del(keys.apiKeyId(newId));
      await this.#redis.zrem(list, newId);
    }
    if (id === '') throw new Error('the API key belongs to another tenant');
    return { id };
  }
}
