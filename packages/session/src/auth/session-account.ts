import type { Logger } from '@wafleet/runtime';
import type { DecryptionJournal } from '../inbound/decryption-journal.js';
import type { WhatsAppSessionOptions } from '../session-options.js';
import { Account } from './account.js';
import type { KeyStoreFailures } from './durable-key-store.js';

interface SessionAccountOptions {
  readonly store: Pick<WhatsAppSessionOptions['store'], 'auth' | 'deleteAuth'>;
  /** Restored from the same store as the account. */
  readonly journal: DecryptionJournal;
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
    this.#current ??= await this.#load(failures);
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

  async #load(failures: KeyStoreFailures): Promise<Account> {
    const { store, journal, logger } = this.#options;
    const account = await Account.load({
      store: store.auth,
      deleteStored: store.deleteAuth,
      logger,
      failures,
    });
    // This comes after the credentials are loaded: with a wrong key no row of the journal may be treated as malformed.
    await journal.restore({
      read: (ids) => store.auth.readRecords('inbox', ids),
      delete: (ids) => account.deleteInbox(ids),
    });
    return account;
  }
}
