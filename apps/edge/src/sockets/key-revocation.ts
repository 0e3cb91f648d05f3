import type { ApiKeys } from '@wafleet/store';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { KeyConnections } from '../auth/key-connections.js';
import type { EventServer } from './event-socket.js';

interface KeyRevocationResources {
  readonly io: EventServer;
  readonly keys: KeyAuthenticator;
  readonly connections: KeyConnections;
  readonly apiKeys: ApiKeys;
}

/** Revokes API keys: here, and when other edges report it. */
export class KeyRevocation {
  readonly #resources: KeyRevocationResources;

  constructor(resources: KeyRevocationResources) {
    this.#resources = resources;
    resources.io.on('key.revoked', (keyId) => this.#shutOut(keyId));
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
   * Shuts out the keys of this edge's connections that were revoked while this edge could not receive the revocation.
   * Call it after the subscription to the other edges was interrupted, and periodically, since an interruption may go
   * unnoticed.
   */
  async recheck(): Promise<void> {
    const { apiKeys, connections } = this.#resources;
    const used = connections.keyIds();
    const valid = await apiKeys.valid(used);
    for (const keyId of used) if (!valid.has(keyId)) this.#shutOut(keyId);
  }

  /** Revokes the key first and closes its connections second: a handshake under way then finds the key revoked. */
  #shutOut(keyId: string): void {
    const { keys, connections } = this.#resources;
    keys.revoke(keyId);
    connections.close(keyId, 'KEY_REVOKED');
  }
}
