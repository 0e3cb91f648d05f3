import { createHash } from 'node:crypto';
import { type KeyScope, WafleetError } from '@wafleet/contract';
import type { ApiKeyRecord, ApiKeys } from '@wafleet/store';
import { LRUCache } from 'lru-cache';
import { hasExpired, type Identity } from '../access/identity.js';

const MAX_KEY_LENGTH = 256;
const CACHED_KEYS = 10_000;
/** Maximum number of session ids in the lists of all cached keys together. */
const CACHED_SESSIONS = 500_000;
const CACHE_MS = 5_000;
/** How long a key counts as in use after it was found to be valid. */
const IN_USE_MS = 10 * 60_000;
/** Longer than a cached answer lives, and longer than an answer of Redis can be under way. */
const REMEMBER_REVOKED_MS = 60_000;

/**
 * Checks API keys. Caches answers of Redis for 5 s. A key that was passed to `revoke` is refused from then on, cached
 * or not, even if an older answer of Redis is still under way; the same holds for a new end. Expiry is checked every
 * time, by this machine's clock.
 */
export class KeyAuthenticator {
  readonly #found: LRUCache<string, Identity, string>;
  /** The hashes of keys that were right when they were last checked. */
  readonly #inUse = new LRUCache<string, true>({ max: CACHED_KEYS, ttl: IN_USE_MS });
  readonly #revoked = new LRUCache<string, true>({ max: CACHED_KEYS, ttl: REMEMBER_REVOKED_MS });
  /** The new ends of keys that were changed lately. */
  readonly #ends = new LRUCache<string, Pick<Identity, 'expiresAt'>>({
    max: CACHED_KEYS,
    ttl: REMEMBER_REVOKED_MS,
  });

  constructor(apiKeys: Pick<ApiKeys, 'authenticate'>) {
    this.#found = new LRUCache({
      max: CACHED_KEYS,
      maxSize: CACHED_KEYS + CACHED_SESSIONS,
      sizeCalculation: ({ sessions }) => 1 + (sessions?.size ?? 0),
      ttl: CACHE_MS,
      fetchMethod: async (_hash, stale, { context: key }) => {
        const found = await apiKeys.authenticate(key);
        // All sockets of a key share one identity and its list of sessions, which never changes.
        const isSame = found?.id === stale?.keyId && found?.expiresAt === stale?.expiresAt;
        return isSame ? stale : found && toIdentity(found);
      },
    });
  }

  /**
   * @throws {WafleetError} UNAUTHORIZED if the key is missing, unknown or revoked; KEY_EXPIRED, which only its holder
   * can get, since the whole key was proven before.
   */
  async authenticate(key: string | undefined): Promise<Identity> {
    if (key === undefined) {
      throw new WafleetError(
        'UNAUTHORIZED',
        'No API key was given. REST takes it in X-Api-Key or "Authorization: Bearer <key>", Socket.IO in auth.token.',
      );
    }
    if (key.length > MAX_KEY_LENGTH) throw unknownKey();
    const hash = hashOf(key);
    const found = await this.#found.fetch(hash, { context: key });
    this.#inUse.delete(hash);
    if (found === undefined || this.isRevoked(found.keyId)) throw unknownKey();
    const changed = this.#ends.get(found.keyId);
    const identity = changed === undefined ? found : { ...found, ...changed };
    if (identity.expiresAt !== undefined && hasExpired(identity)) {
      const expiredAt = new Date(identity.expiresAt).toISOString();
      throw new WafleetError('KEY_EXPIRED', `The API key expired at ${expiredAt}.`, { expiredAt });
    }
    this.#inUse.set(hash, true);
    return identity;
  }

  /** Whether a key was valid at its last check here, within the last minutes. Such a key is not a guess. */
  isInUse(key: string): boolean {
    return key.length <= MAX_KEY_LENGTH && this.#inUse.has(hashOf(key));
  }

  /**
   * The tenant and id of a key as of its last check here; for counting, not for permission. Returns undefined if the
   * key was not checked lately or is revoked. Makes no request.
   */
  knownHolder(key: string): Pick<Identity, 'tenantId' | 'keyId'> | undefined {
    if (key.length > MAX_KEY_LENGTH) return undefined;
    const identity = this.#found.peek(hashOf(key), { allowStale: true });
    return identity === undefined || this.isRevoked(identity.keyId) ? undefined : identity;
  }

  revoke(keyId: string): void {
    this.#revoked.set(keyId, true);
  }

  /** The key ends at another time from now on, whatever is cached. */
  changeEnd(keyId: string, expiresAt: number | undefined): void {
    this.#ends.set(keyId, { expiresAt });
  }

  isRevoked(keyId: string): boolean {
    return this.#revoked.has(keyId);
  }
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('base64');
}

function unknownKey(): WafleetError {
  return new WafleetError('UNAUTHORIZED', 'The API key is unknown or revoked.');
}

function toIdentity({ id, tenantId, scopes, sessions, expiresAt }: ApiKeyRecord): Identity {
  return {
    keyId: id,
    tenantId,
    scopes: new Set<KeyScope>(scopes),
    sessions: sessions && new Set(sessions),
    expiresAt,
  };
}
