import { createHash } from 'node:crypto';
import { WafleetError } from '@wafleet/contract';
import type { ApiKeys } from '@wafleet/store';
import { LRUCache } from 'lru-cache';

/** Whom an API key stands for. */
export interface Identity {
  readonly keyId: string;
  readonly tenantId: string;
}

const MAX_KEY_LENGTH = 256;
const CACHED_KEYS = 10_000;
const CACHE_MS = 5_000;
/** Longer than a cached answer lives and than an answer of Redis can be under way. */
const REMEMBER_REVOKED_MS = 60_000;

/**
 * Checks API keys, with answers of Redis kept for 5 s. A key that `revoke` was told of is refused from then on,
 * cached or not, even if Redis' answer from before the revocation is still under way.
 */
export class KeyAuthenticator {
  readonly #found: LRUCache<string, Identity, string>;
  readonly #revoked = new LRUCache<string, true>({ max: CACHED_KEYS, ttl: REMEMBER_REVOKED_MS });

  constructor(apiKeys: Pick<ApiKeys, 'authenticate'>) {
    this.#found = new LRUCache({
      max: CACHED_KEYS,
      ttl: CACHE_MS,
      fetchMethod: async (_hash, _stale, { context: key }) => {
        const found = await apiKeys.authenticate(key);
        return found && { keyId: found.id, tenantId: found.tenantId };
      },
    });
  }

  /** @throws {WafleetError} UNAUTHORIZED when the key is missing, unknown or revoked. */
  async authenticate(key: string | undefined): Promise<Identity> {
    if (key === undefined) {
      throw new WafleetError('UNAUTHORIZED', 'No API key was given.');
    }
    const identity = key.length <= MAX_KEY_LENGTH ? await this.#lookUp(key) : undefined;
    if (identity === undefined || this.isRevoked(identity.keyId)) {
      throw new WafleetError('UNAUTHORIZED', 'The API key is unknown or revoked.');
    }
    return identity;
  }

  revoke(keyId: string): void {
    this.#revoked.set(keyId, true);
  }

  isRevoked(keyId: string): boolean {
    return this.#revoked.has(keyId);
  }

  #lookUp(key: string): Promise<Identity | undefined> {
    const hash = createHash('sha256').update(key).digest('base64');
    return this.#found.fetch(hash, { context: key });
  }
}
