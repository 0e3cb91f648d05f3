import type { CloseReason } from '@wafleet/contract';
import { hasExpired, type Identity } from './identity.js';

type Close = (reason: CloseReason) => void;

interface KeyInUse {
  readonly identity: Identity;
  readonly open: Set<Close>;
}

/** The connections of this edge that stay open, by the API keys that they were opened with. */
export class KeyConnections {
  readonly #keys = new Map<string, KeyInUse>();

  /**
   * Notes a connection until the function that is returned is called. `close` is called when its key ends, which must
   * lead to that.
   */
  enter(identity: Identity, close: Close): () => void {
    const { keyId } = identity;
    const inUse = this.#keys.get(keyId) ?? { identity, open: new Set() };
    this.#keys.set(keyId, inUse);
    inUse.open.add(close);
    return () => {
      inUse.open.delete(close);
      if (inUse.open.size === 0 && this.#keys.get(keyId) === inUse) this.#keys.delete(keyId);
    };
  }

  keyIds(): string[] {
    return [...this.#keys.keys()];
  }

  /** Closes the connections of a key. */
  close(keyId: string, reason: CloseReason): void {
    for (const close of [...(this.#keys.get(keyId)?.open ?? [])]) close(reason);
  }

  /**
   * Closes the connections of keys that have expired. To be called again and again: timers would count the time that
   * passes and not the hour that it is, and hold 24 days at the most.
   */
  closeExpired(): void {
    for (const { identity } of [...this.#keys.values()]) {
      if (hasExpired(identity)) this.close(identity.keyId, 'KEY_EXPIRED');
    }
  }
}
