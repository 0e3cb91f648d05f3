import type { ApiKeys } from '@wafleet/store';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { KeyConnections } from '../auth/key-connections.js';
import type { EventServer } from './socket-server.js';

interface KeyRevocationResources {
  readonly io: EventServer;
  readonly keys: KeyAuthenticator;
  readonly connections: KeyConnections;
  readonly apiKeys: ApiKeys;
}

/** Revokes API keys: here, and at the word of other edges. */
export class KeyRevocation {
  readonly #resources: KeyRevocationResources;

  constructor(resources: KeyRevocationResources) {
    this.#resources = resources;
    resources.io.on('key.revoked', (keyId) => this.#shutOut(keyId));
  }

  /**
   * Once it resolves no edge that Redis reaches lets the key in, and its connections are being closed on every edge.
   * @throws {WafleetError} KEY_NOT_FOUND.
   */
  async revoke(keyId: string): Promise<void> {
    const { apiKeys, io } = this.#resources;
    await apiKeys.revoke(keyId);
    this.#shutOut(keyId);
    io.serverSideEmit('key.revoked', keyId);
  }

  /**
   * Shuts out the keys of this edge's connections that were revoked while the word of it could not be received.
   * Call it when the subscription to the other edges was interrupted, and now and then for what nobody noticed.
   */
  async recheck(): Promise<void> {
    const { apiKeys, connections } = this.#resources;
    const used = connections.keyIds();
    const valid = await apiKeys.valid(used);
    for (const keyId of used) if (!valid.has(keyId)) this.#shutOut(keyId);
  }

  /** The key first, its connections second: a handshake under way finds the key revoked when it has passed. */
  #shutOut(keyId: string): void {
    const { keys, connections } = this.#resources;
    keys.revoke(keyId);
    connections.close(keyId, 'KEY_REVOKED');
  }
}
