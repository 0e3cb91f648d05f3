import type { CloseReason } from '@wafleet/contract';
import { hasExpired, type Identity } from '../access/identity.js';

type Close = (reason: CloseReason) => void;

interface KeyInUse {
  /** When the key ends, ms since 1970; undefined for never. */
  expiresAt: number | undefined;
  readonly open: Set<Close>;
}

/** The long-lived connections of this edge, by the API key that opened them. */
export class KeyConnections {
  readonly #keys = new Map<string, KeyInUse>();

  /**
   * Registers a connection until the returned function is called. Calls `close` when its key ends; `close` must lead to
   * that call.
   */
  enter(identity: Identity, close: Close): () => void {
    const { keyId, expiresAt } = identity;
    const inUse = this.#keys.get(keyId) ?? { expiresAt, open: new Set() };
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

  /** The key ends at another time, also for connections that are open. */
  changeEnd(keyId: string, expiresAt: number | undefined): void {
    const inUse = this.#keys.get(keyId);
    if (inUse !== undefined) inUse.expiresAt = expiresAt;
  }

  /** Closes the connections of a key. */
  close(keyId: string, reason: CloseReason): void {
    for (const close of [...(this.#keys.get(keyId)?.open ?? [])]) close(reason);
  }

  /**
   * Closes the connections of expired keys. Call it periodically: timers measure elapsed time, not the time of day, and
   * hold 24 days at most.
   */
  closeExpired(): void {
    for (const [keyId, inUse] of [...this.#keys]) {
      if (hasExpired(inUse)) this.close(keyId, 'KEY_EXPIRED');
    }
  }
}
