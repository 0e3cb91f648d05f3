import type { ApiKeyChanges, ApiKeyRecord, ApiKeys } from '@wafleet/store';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { KeyConnections } from '../auth/key-connections.js';
import type { EventServer } from './event-socket.js';

interface KeyRevocationResources {
  readonly io: EventServer;
  readonly keys: KeyAuthenticator;
  readonly connections: KeyConnections;
  readonly apiKeys: ApiKeys;
}

/** Revokes API keys and changes their ends: here, and when other edges report it. */
export class KeyRevocation {
  readonly #resources: KeyRevocationResources;

  constructor(resources: KeyRevocationResources) {
    this.#resources = resources;
    resources.io.on('key.revoked', (keyId) => this.#shutOut(keyId));
    resources.io.on('key.changed', (keyId, expiresAt) => this.#changeEnd(keyId, expiresAt ?? undefined));
  }

  /**
   * Once it resolves, no edge that Redis reaches lets the key in, and every edge is closing its connections.
   * @throws {WafleetError} KEY_NOT_FOUND.
   */
  async revoke(keyId: string): Promise<void> {
    const { apiKeys, io } = this.#resources;
    await apiKeys.revoke(keyId);
    this.#shutOut(keyId);
    io.serverSideEmit('key.revoked', keyId);
  }

  /**
   * Once it resolves, every edge that Redis reaches is applying the new end, also to connections that are open.
   * @throws {WafleetError} KEY_NOT_FOUND.
   */
  async change(keyId: string, changes: ApiKeyChanges): Promise<ApiKeyRecord> {
    const { apiKeys, io } = this.#resources;
    const changed = await apiKeys.change(keyId, changes);
    this.#changeEnd(keyId, changed.expiresAt);
    io.serverSideEmit('key.changed', keyId, changed.expiresAt ?? null);
    return changed;
  }

  /**
   * Applies new ends, and shuts out the keys of this edge's connections that were revoked, while this edge could not
   * receive that. Call it after the subscription to the other edges was interrupted, and periodically, since an interruption may go
   * unnoticed.
   */
  async recheck(): Promise<void> {
    const { apiKeys, connections } = this.#resources;
    const used = connections.keyIds();
    const ends = await apiKeys.ends(used);
    for (const keyId of used) {
      if (ends.has(keyId)) connections.changeEnd(keyId, ends.get(keyId));
      else this.#shutOut(keyId);
    }
  }

  #changeEnd(keyId: string, expiresAt: number | undefined): void {
    const { keys, connections } = this.#resources;
    keys.changeEnd(keyId, expiresAt);
    connections.changeEnd(keyId, expiresAt);
  }

  /** Revokes the key first and closes its connections second: a handshake under way then finds the key revoked. */
  #shutOut(keyId: string): void {
    const { keys, connections } = this.#resources;
    keys.revoke(keyId);
    connections.close(keyId, 'KEY_REVOKED');
  }
}
