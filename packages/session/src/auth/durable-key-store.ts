import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@wafleet/runtime';
import { FencedError, SealedValueError } from '@wafleet/store';
import type { SignalKeyStore } from '@whiskeysockets/baileys';

const RETRY_MS = 300;

/** Learns of the final failures of a key store. Each call ends the socket before it returns. */
export interface KeyStoreFailures {
  /** Another worker owns the session. */
  fenced(): void;
  /** Redis was unreachable for too long. */
  storageFailed(): void;
  /** A stored value is damaged, or was sealed with a key that this worker does not have. */
  credentialsUnreadable(error: unknown): void;
}

/**
 * Stands between Baileys and the stored keys and credentials of a session. Writes are executed one at a time, in the
 * order of the calls. Baileys acknowledges a message to WhatsApp once `keys.set` resolves, so `keys.set` resolves only
 * when the keys are stored.
 *
 * A failed operation is retried for `patienceMs`. Three failures are final: the time is over, the fence refuses, or a
 * stored value cannot be opened. Then `failures` first ends the socket, and the call rejects afterwards: without the
 * socket nothing can be acknowledged, and WhatsApp delivers the message again.
 */
export class DurableKeyStore {
  readonly #keys: SignalKeyStore;
  readonly #saveCreds: () => Promise<void>;
  readonly #logger: Logger;
  readonly #patienceMs: number;
  readonly #failures: KeyStoreFailures;
  /** Settles with the last write. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  #credsWaiting: Promise<void> | undefined;
  #discarded = false;

  constructor(options: {
    keys: SignalKeyStore;
    /** Stores the credentials as they are at the time of the call. */
    saveCreds: () => Promise<void>;
    logger: Logger;
    patienceMs: number;
    failures: KeyStoreFailures;
  }) {
    this.#keys = options.keys;
    this.#saveCreds = options.saveCreds;
    this.#logger = options.logger;
    this.#patienceMs = options.patienceMs;
    this.#failures = options.failures;
  }

  /**
   * Returns the Signal records for one socket of Baileys. Once that socket is gone, its writes are no longer wanted:
   * they are neither begun nor retried, and they reject.
   * @param onRefused called with the error before any read or write of this socket rejects, whatever the reason. It
   * must silence the socket: Baileys answers a message whose keys it cannot read or store with a NACK, and WhatsApp
   * then drops the message.
   */
  keysWhile(isWanted: () => boolean, onRefused: (error: unknown) => void): SignalKeyStore {
    const keys = this.#keys;
    const refuse = (error: unknown): never => {
      onRefused(error);
      throw error;
    };
    return {
      get: (type, ids) => this.#withPatience(async () => keys.get(type, ids)).catch(refuse),
      set: (data) => this.#inOrder(async () => keys.set(data), isWanted).catch(refuse),
    };
  }

  /** Stores the credentials after the writes of earlier calls. Never rejects: a failure ends the socket. */
  saveCreds(): Promise<void> {
    // A save that still waits for its turn will store the newest credentials, so one is enough.
    this.#credsWaiting ??= this.#inOrder(() => {
      this.#credsWaiting = undefined;
      return this.#saveCreds();
    }).catch(() => {});
    return this.#credsWaiting;
  }

  /** Resolves when every write called so far is stored or has failed. */
  async idle(): Promise<void> {
    await this.#last;
  }

  /** Lets every operation that has not begun fail. */
  discard(): void {
    this.#discarded = true;
  }

  #inOrder(write: () => Promise<void>, isWanted = () => true): Promise<void> {
    const done = this.#last.then(() => this.#withPatience(write, isWanted));
    this.#last = done.catch(() => {});
    return done;
  }

  async #withPatience<T>(work: () => Promise<T>, isWanted = () => true): Promise<T> {
    const giveUpAt = performance.now() + this.#patienceMs;
    for (;;) {
      if (this.#discarded) throw new Error('the session was discarded');
      if (!isWanted()) throw new Error('the connection ended');
      try {
        return await work();
      } catch (error) {
        if (error instanceof FencedError) {
          this.discard();
          this.#failures.fenced();
          throw error;
        }
        if (error instanceof SealedValueError) {
          this.discard();
          this.#failures.credentialsUnreadable(error);
          throw error;
        }
        if (performance.now() >= giveUpAt) {
          this.#logger.error({ err: error }, 'keys cannot be read or stored; the connection is ended');
          this.#failures.storageFailed();
          throw error;
        }
        await delay(RETRY_MS);
      }
    }
  }
}
