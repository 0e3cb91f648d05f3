import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { WafleetError } from '@wafleet/contract';
import type { RedisConnection } from './connection.js';
import { keys } from './keyspace.js';
import { asNumber, asText } from './reply.js';
import { Script } from './script.js';

/** Who a request comes from. */
export interface ApiKeyIdentity {
  /** The key's id; not secret. */
  readonly id: string;
  readonly tenantId: string;
  readonly name?: string;
}

const storeKey = new Script('store-api-key', asText);
const deleteKey = new Script('delete-api-key', asNumber);

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

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Makes a key. It cannot be read again. */
  async create(
    tenantId: string,
    options: { name?: string | undefined } = {},
  ): Promise<{ id: string; key: string }> {
    const key = `wf_${randomBytes(32).toString('base64url')}`;
    const { id } = await this.import(tenantId, { key, name: options.name });
    return { id, key };
  }

  /**
   * Takes a key of the caller's choosing, which should be as hard to guess as a generated one. Gives the id that the
   * tenant's key has already if it was taken before.
   * @throws {Error} when the key is another tenant's.
   */
  async import(
    tenantId: string,
    { key, name }: { key: string; name?: string | undefined },
  ): Promise<{ id: string }> {
    const { lookup, hash } = hashKey(key);
    const newId = `key_${randomBytes(9).toString('base64url')}`;
    await this.#redis.set(keys.apiKeyId(newId), lookup);
    const id = await storeKey.run(
      this.#redis,
      [keys.apiKey(lookup)],
      [newId, hash, tenantId, name ?? '', Date.now()],
    );
    if (id !== newId) await this.#redis.del(keys.apiKeyId(newId));
    if (id === '') throw new Error('the API key belongs to another tenant');
    return { id };
  }

  /** Makes a key invalid, for whoever authenticates from now on. @throws {WafleetError} KEY_NOT_FOUND */
  async revoke(keyId: string): Promise<void> {
    const lookup = await this.#redis.get(keys.apiKeyId(keyId));
    const deleted = lookup === null ? 0 : await deleteKey.run(this.#redis, [keys.apiKey(lookup)], [keyId]);
    await this.#redis.del(keys.apiKeyId(keyId));
    if (deleted === 0) throw new WafleetError('KEY_NOT_FOUND', `There is no API key ${keyId}.`);
  }

  /** Those of the given key ids that are valid still. */
  async valid(keyIds: readonly string[]): Promise<Set<string>> {
    const found = await Promise.all(keyIds.map((id) => this.#redis.exists(keys.apiKeyId(id))));
    return new Set(keyIds.filter((_, index) => found[index] === 1));
  }

  /** Whose key it is; undefined when it is unknown or revoked. */
  async authenticate(key: string): Promise<ApiKeyIdentity | undefined> {
    const { lookup, hash } = hashKey(key);
    const stored = await this.#redis.hgetall(keys.apiKey(lookup));
    const { id, tenantId, name } = stored;
    if (id === undefined || tenantId === undefined || !isSameHash(stored.hash ?? '', hash)) return undefined;
    return { id, tenantId, ...(name === undefined ? {} : { name }) };
  }
}
