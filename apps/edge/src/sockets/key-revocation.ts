import { keyRoom, NAMESPACES } from '@wafleet/contract';
import type { ApiKeys } from '@wafleet/store';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { EventServer } from './socket-server.js';

interface KeyRevocationResources {
  readonly io: EventServer;
  readonly keys: KeyAuthenticator;
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
   * Once it resolves no edge that Redis reaches lets the key in, and its sockets are being disconnected on every
   * edge.
   * @throws {WafleetError} KEY_NOT_FOUND.
   */
  async revoke(keyId: string): Promise<void> {
    const { apiKeys, io } = this.#resources;
    await apiKeys.revoke(keyId);
    this.#shutOut(keyId);
    io.serverSideEmit('key.revoked', keyId);
  }

  /**
   * Shuts out the keys of this edge's sockets that were revoked while the word of it could not be received.
   * Call it when the subscription to the other edges was interrupted, and now and then for what nobody noticed.
   */
  async recheck(): Promise<void> {
    const { apiKeys, io } = this.#resources;
    const used = new Set<string>();
    for (const namespace of NAMESPACES) {
      for (const { data } of io.of(namespace).sockets.values()) used.add(data.identity.keyId);
    }
    const valid = await apiKeys.valid([...used]);
    for (const keyId of used) if (!valid.has(keyId)) this.#shutOut(keyId);
  }

  /** The key first, the sockets second: a handshake under way finds the key revoked when it joins its room. */
  #shutOut(keyId: string): void {
    const { io, keys } = this.#resources;
    keys.revoke(keyId);
    for (const namespace of NAMESPACES) {
      io.of(namespace).local.in(keyRoom(keyId)).disconnectSockets(true);
    }
  }
}
