import type { Logger } from '@wafleet/runtime';
import { type AuthStateStore, linkedDevice } from '@wafleet/store';
import {
  type AuthenticationCreds,
  type AuthenticationState,
  jidDecode,
  type SignalDataSet,
} from '@whiskeysockets/baileys';
import { newCredentials } from '../baileys/baileys.js';
import { AppStateVersions } from './app-state-versions.js';
import { DurableKeyStore, type KeyStoreFailures } from './durable-key-store.js';

/** How long Redis may be unreachable before a connection is ended because keys cannot be read or stored. */
const STORAGE_PATIENCE_MS = 30_000;

/** Where the account's keys are stored, and what learns of failures of that store. */
export interface AccountOptions {
  readonly store: AuthStateStore;
  /** Deletes everything that `store` holds. */
  readonly deleteStored: () => Promise<void>;
  readonly logger: Logger;
  readonly failures: KeyStoreFailures;
}

/** The WhatsApp account of a session: its credentials and Signal records, and what they show about the account. */
export class Account {
  readonly #options: AccountOptions;
  readonly #guard: DurableKeyStore;
  readonly #versions = new AppStateVersions();
  #creds: AuthenticationCreds;
  #isRefused = false;

  private constructor(
    options: AccountOptions,
    { creds, keys }: { creds: AuthenticationCreds; keys: AuthenticationState['keys'] },
  ) {
    const { store, logger, failures } = options;
    this.#options = options;
    this.#creds = creds;
    this.#guard = new DurableKeyStore({
      keys,
      saveCreds: () => store.saveCreds(),
      logger,
      patienceMs: STORAGE_PATIENCE_MS,
      failures,
    });
  }

  /**
   * Rejects if the stored values cannot be read. While keys are rotated, the stored values are afterwards sealed again
   * with the current key.
   */
  static async load(options: AccountOptions): Promise<Account> {
    const account = new Account(options, await options.store.load(newCredentials));
    void account.#reseal();
    return account;
  }

  /**
   * Returns the authentication state for Baileys, valid as long as `isWanted` (see DurableKeyStore.keysWhile). Baileys
   * changes `creds` in place.
   */
  auth(isWanted: () => boolean, onRefused: (error: unknown) => void): AuthenticationState {
    const keys = this.#versions.watch(this.#guard.keysWhile(isWanted, onRefused), isWanted);
    return { creds: this.#creds, keys };
  }

  get me(): { readonly id: string; readonly lid?: string | undefined } | undefined {
    return this.#creds.me;
  }

  /** The account's number, digits only. */
  get phone(): string | undefined {
    return jidDecode(this.#creds.me?.id)?.user;
  }

  /** The linked device, as `linkedDevice` names it. Undefined if the device has no number yet. */
  get device(): string | undefined {
    const { user, device } = jidDecode(this.#creds.me?.id) ?? {};
    return user === undefined || device === undefined
      ? undefined
      : linkedDevice(`${user}:${device}`, this.#creds);
  }

  /**
   * Whether a phone has signed this device's identity. `registered` does not show this: Baileys leaves it false if the
   * link was made by QR code.
   */
  get isLinked(): boolean {
    return this.#creds.account !== undefined && !this.#isRefused;
  }

  /** Whether WhatsApp has accepted a login of this device before: a login generates the first pre-keys. */
  get hasLoggedIn(): boolean {
    return this.#creds.nextPreKeyId > 1;
  }

  /** Whether the first part of the history was received, or Baileys has stopped to wait for it. */
  get hasSynced(): boolean {
    return this.#creds.accountSyncCounter > 0;
  }

  /** WhatsApp does not know the link. The credentials are useless until `reset`. */
  refuseLink(): void {
    this.#isRefused = true;
  }

  /** Whether a link was begun and not finished. WhatsApp refuses such credentials at the login. */
  get isHalfLinked(): boolean {
    return this.#creds.me !== undefined && !this.isLinked;
  }

  /** Stores the current credentials. Never rejects. */
  saveCreds(): Promise<void> {
    const { routingInfo } = this.#creds;
    // The value is a small part of a buffer, which would stay in memory as a whole.
    if (routingInfo !== undefined && routingInfo.buffer.byteLength > routingInfo.byteLength) {
      this.#creds.routingInfo = Buffer.from(Uint8Array.from(routingInfo).buffer);
    }
    return this.#guard.saveCreds();
  }

  /** Deletes rows of the inbox (see DecryptionJournal). @throws {FencedError} */
  async deleteInbox(ids: readonly string[]): Promise<void> {
    const data: SignalDataSet & { inbox: Record<string, null> } = {
      inbox: Object.fromEntries(ids.map((id) => [id, null])),
    };
    await this.#ownKeys().set(data);
  }

  /** Resolves when all pending writes are stored or have failed. */
  idle(): Promise<void> {
    return this.#guard.idle();
  }

  /**
   * Resolves when all pending writes are stored or have failed, and the app state versions whose changes the last
   * connection did not emit are restored. @throws {FencedError}
   */
  async settle(): Promise<void> {
    await this.idle();
    await this.#versions.takeBack(this.#ownKeys());
  }

  /** Deletes everything and begins with new credentials. */
  async reset(): Promise<void> {
    await this.idle();
    await this.#options.deleteStored();
    const { creds } = await this.#options.store.load(newCredentials);
    this.#creds = creds;
    this.#isRefused = false;
  }

  /** Deletes everything that is stored, permanently. @throws {FencedError} if another worker owns the session. */
  async wipe(): Promise<void> {
    await this.idle();
    // Later writes of Baileys must not restore keys after the deletion.
    this.discard();
    await this.#options.deleteStored();
  }

  /** Keys that can be written without a connection. */
  #ownKeys(): AuthenticationState['keys'] {
    return this.#guard.keysWhile(
      () => true,
      () => {},
    );
  }

  async #reseal(): Promise<void> {
    const { store, logger } = this.#options;
    try {
      const { resealed, unreadable } = await store.reseal();
      if (resealed + unreadable > 0)
        logger.info({ resealed, unreadable }, 'stored keys were sealed with the current key');
    } catch (error) {
      // A refused fence shows at the next write; every value still opens with the key that it was sealed with.
      logger.warn({ err: error }, 'stored keys could not be sealed with the current key');
    }
  }

  /** Lets every write that has not begun fail. */
  discard(): void {
    this.#guard.discard();
    this.#options.store.discard();
  }
}
