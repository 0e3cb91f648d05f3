import type { Logger } from '@wafleet/runtime';
import type { AuthStateStore } from '@wafleet/store';
import {
  type AuthenticationCreds,
  type AuthenticationState,
  jidDecode,
  type SignalDataSet,
} from '@whiskeysockets/baileys';
import { newCredentials } from '../baileys/baileys.js';
import { AppStateVersions } from './app-state-versions.js';
import { DurableKeyStore } from './durable-key-store.js';

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
  /** Something stored is damaged, or was sealed with a key that this worker does not have. */
  readonly onUnreadable: (error: unknown) => void;
}

/** The WhatsApp account of a session: its credentials and Signal records, and what they say of it. */
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
    const { store, logger, onFenced, onUnreadable, onStorageFailed: onFailed } = options;
    this.#options = options;
    this.#creds = creds;
    this.#guard = new DurableKeyStore({
      keys,
      saveCreds: () => store.saveCreds(),
      logger,
      patienceMs: STORAGE_PATIENCE_MS,
      onFenced,
      onFailed,
      onUnreadable,
    });
  }

  /** Rejects when what is stored cannot be read. While keys are rotated, what is stored is sealed anew after it. */
  static async load(options: AccountOptions): Promise<Account> {
    const account = new Account(options, await options.store.load(newCredentials));
    void account.#reseal();
    return account;
  }

  /** What Baileys works with, as long as `isWanted` (see DurableKeyStore.keysWhile). It changes `creds` in place. */
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

  /**
   * Whether a phone signed this device's identity. `registered` does not tell: Baileys leaves it false when the
   * link was made by QR code.
   */
  get isLinked(): boolean {
    return this.#creds.account !== undefined && !this.#isRefused;
  }

  /** Whether WhatsApp has let this device in before: a login makes the first pre-keys. */
  get hasLoggedIn(): boolean {
    return this.#creds.nextPreKeyId > 1;
  }

  /** WhatsApp does not know the link. The credentials are good for nothing more until `reset`. */
  refuseLink(): void {
    this.#isRefused = true;
  }

  /** Whether a link was begun and not finished. WhatsApp refuses such credentials at the login. */
  get isHalfLinked(): boolean {
    return this.#creds.me !== undefined && !this.isLinked;
  }

  /** Stores the credentials as they are; never rejects. */
  saveCreds(): Promise<void> {
    const { routingInfo } = this.#creds;
    // It comes as a small part of a buffer that would stay in memory as a whole.
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

  /** Resolves when everything that was to be stored is, or has failed. */
  idle(): Promise<void> {
    return this.#guard.idle();
  }

  /**
   * Resolves when everything that was to be stored is, or has failed, and what the last connection stored without
   * telling it is taken back. @throws {FencedError}
   */
  async settle(): Promise<void> {
    await this.idle();
    await this.#versions.takeBack(this.#ownKeys());
  }

  /** Forgets everything and begins with fresh credentials. */
  async reset(): Promise<void> {
    await this.idle();
    await this.#options.deleteStored();
    const { creds } = await this.#options.store.load(newCredentials);
    this.#creds = creds;
    this.#isRefused = false;
  }

  /** Deletes everything that is stored, for good. @throws {FencedError} when the session is another worker's. */
  async wipe(): Promise<void> {
    await this.idle();
    // What Baileys still has in hand must not come back after the deletion.
    this.discard();
    await this.#options.deleteStored();
  }

  /** Keys that no connection has to be there for. */
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
      // A fence that refused shows at the next write; everything still opens with the key that it was sealed with.
      logger.warn({ err: error }, 'stored keys could not be sealed with the current key');
    }
  }

  /** Lets every write that has not begun fail. */
  discard(): void {
    this.#guard.discard();
    this.#options.store.discard();
  }
}
