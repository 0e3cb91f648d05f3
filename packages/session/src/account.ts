import type { Logger } from '@wafleet/runtime';
import type { AuthStateStore } from '@wafleet/store';
import {
  type AuthenticationCreds,
  type AuthenticationState,
  initAuthCreds,
  jidDecode,
} from '@whiskeysockets/baileys';
import { AuthGuard } from './auth-guard.js';

/** Redis may be away this long before a connection is ended for keys that cannot be read or stored. */
const STORAGE_PATIENCE_MS = 30_000;

/** Where the account's keys are kept, and who is told when they cannot be. */
export interface AccountOptions {
  readonly store: AuthStateStore;
  /** Deletes everything that `store` holds. */
  readonly deleteStored: () => Promise<void>;
  readonly logger: Logger;
  readonly onFenced: () => void;
  readonly onStorageFailed: () => void;
}

/** The WhatsApp account of a session: its credentials and Signal records, and what they say of it. */
export class Account {
  readonly #options: AccountOptions;
  readonly #guard: AuthGuard;
  #creds: AuthenticationCreds;

  private constructor(
    options: AccountOptions,
    { creds, keys }: { creds: AuthenticationCreds; keys: AuthenticationState['keys'] },
  ) {
    const { store, logger, onFenced, onStorageFailed: onFailed } = options;
    this.#options = options;
    this.#creds = creds;
    this.#guard = new AuthGuard({
      keys,
      saveCreds: () => store.saveCreds(),
      logger,
      patienceMs: STORAGE_PATIENCE_MS,
      onFenced,
      onFailed,
    });
  }

  /** Rejects when what is stored cannot be read. */
  static async load(options: AccountOptions): Promise<Account> {
    return new Account(options, await options.store.load(initAuthCreds));
  }

  /** What Baileys works with. It changes `creds` in place. */
  get auth(): AuthenticationState {
    return { creds: this.#creds, keys: this.#guard.keys };
  }

  get me(): { readonly id: string; readonly lid?: string | undefined } | undefined {
    return this.#creds.me;
  }

  /** The account's number, digits only. */
  get phone(): string | undefined {
    return jidDecode(this.#creds.me?.id)?.user;
  }

  /**
   * Whether a phone signed this device's identity. `registered` does not tell: Baileys leaves it false when the
   * link was made by QR code.
   */
  get isLinked(): boolean {
    return this.#creds.account !== undefined;
  }

  /** Whether a link was begun by pairing code and not finished. WhatsApp refuses such credentials at the login. */
  get isHalfLinked(): boolean {
    return this.#creds.me !== undefined && !this.isLinked;
  }

  /** Stores the credentials as they are; never rejects. */
  saveCreds(): Promise<void> {
    return this.#guard.saveCreds();
  }

  /** Resolves when everything that was to be stored is, or has failed. */
  idle(): Promise<void> {
    return this.#guard.idle();
  }

  /** Forgets everything and begins with fresh credentials. */
  async reset(): Promise<void> {
    await this.idle();
    await this.#options.deleteStored();
    const { creds } = await this.#options.store.load(initAuthCreds);
    this.#creds = creds;
  }

  /** Deletes everything that is stored, for good. @throws {FencedError} when the session is another worker's. */
  async wipe(): Promise<void> {
    await this.idle();
    // What Baileys still has in hand must not come back after the deletion.
    this.discard();
    await this.#options.deleteStored();
  }

  /** Lets every write that has not begun fail. */
  discard(): void {
    this.#guard.discard();
  }
}
