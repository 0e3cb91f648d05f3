import type { Logger } from '@wafleet/runtime';
import type { AuthStateStore } from '@wafleet/store';
import { Account } from './account.js';
import type { KeyStoreFailures } from './durable-key-store.js';

interface SessionAccountOptions {
  readonly store: {
    readonly auth: AuthStateStore;
    /** Deletes the stored credentials. */
    readonly deleteAuth: () => Promise<void>;
  };
  readonly logger: Logger;
}

/** The account of a session, loaded for its first connection and kept for all later ones. */
export class SessionAccount {
  readonly #options: SessionAccountOptions;
  #current: Account | undefined;
  #isDiscarded = false;

  constructor(options: SessionAccountOptions) {
    this.#options = options;
  }

  /** Undefined until the first connection is opened. */
  get current(): Account | undefined {
    return this.#current;
  }

  /**
   * Returns the account, loaded at the first call. Concurrent calls are not allowed.
   * @throws the error of reading the credentials: {FencedError}, {SealedValueError}, or an error because Redis is
   * unreachable.
   */
  async load(failures: KeyStoreFailures): Promise<Account> {
    const { store, logger } = this.#options;
    const { auth, deleteAuth: deleteStored } = store;
    this.#current ??= await Account.load({ store: auth, deleteStored, logger, failures });
    if (this.#isDiscarded) this.#current.discard();
    return this.#current;
  }

  /** Lets every write that has not begun fail, including the writes of an account that is still being loaded. */
  discard(): void {
    this.#isDiscarded = true;
    this.#current?.discard();
  }

  /** Deletes the credentials, loaded or not. @throws {FencedError} if another worker owns the session. */
  wipe(): Promise<void> {
    return this.#current?.wipe() ?? this.#options.store.deleteAuth();
  }
}
