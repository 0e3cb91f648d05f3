import type { Logger } from '@wafleet/runtime';
import type { Fence } from '@wafleet/store';
import type { BaileysEventMap, BinaryNode } from '@whiskeysockets/baileys';
import { Account } from './account.js';
import type { CachesOfSession } from './caches/session-caches.js';
import type { ConnectGate, ConnectPass } from './connect-gate.js';
import { Connection } from './connection.js';
import type { DecryptedMessages } from './decrypted-messages.js';
import type { FinishedMessage } from './outbox.js';
import type { RepeatedMessages } from './repeated-messages.js';
import type { SentMessages } from './sent-messages.js';
import type { WhatsAppSessionOptions } from './session-options.js';

interface ConnectorOptions {
  readonly fence: Fence;
  readonly store: Pick<WhatsAppSessionOptions['store'], 'auth' | 'deleteAuth'>;
  readonly gate: ConnectGate;
  readonly caches: CachesOfSession;
  /** A server other than WhatsApp's, and the times of a connection, as `ConnectionOptions` has them. */
  readonly url: string | undefined;
  readonly connectTimeoutMs: number;
  readonly qrLifeMs: number | undefined;
  readonly decrypted: DecryptedMessages;
  readonly repeated: RepeatedMessages;
  readonly sentMessages: SentMessages;
  readonly logger: Logger;
  /** A write of the credentials found that the session is another worker's. */
  readonly onFenced: () => void;
  readonly onStorageFailed: () => void;
  /** Stored credentials turned out to be damaged, or sealed with a key that this worker does not have. */
  readonly onUnreadable: (error: unknown) => void;
  /** WhatsApp refuses this version of the client, so that leave to connect may take long. */
  readonly onHeld: () => void;
  readonly onLinkRefresh: (connection: Connection) => void;
  readonly onMessageDone: (connection: Connection, message: FinishedMessage) => void;
  readonly onEvents: (connection: Connection, events: Partial<BaileysEventMap>) => void;
}

/**
 * Opens a session's connections, one after the other, each with what outlasts it: the account, the caches, the
 * messages that are not finished.
 */
export class Connector {
  readonly #options: ConnectorOptions;
  #account: Account | undefined;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** Undefined until a connection was to be opened. */
  get account(): Account | undefined {
    return this.#account;
  }

  /**
   * Waits for leave to connect, and connects.
   * @param request.isLinkFresh a phone has linked the session just now, and its person waits for it to open.
   * @returns undefined when the signal was aborted.
   * @throws what reading the credentials throws: {FencedError}, {SealedValueError}, or that Redis is out of reach.
   */
  async open(request: { signal: AbortSignal; isLinkFresh: boolean }): Promise<Connection | undefined> {
    const { gate, fence, decrypted, logger, onHeld } = this.#options;
    this.#account ??= await this.#loadAccount();
    // What the last connection gave has to be stored before the next one logs in with it.
    await this.#account.idle();
    if (this.#account.isHalfLinked) await this.#account.reset();
    const pass = await gate.pass({
      tenantId: fence.tenantId,
      isUrgent: !this.#account.isLinked || request.isLinkFresh,
      signal: request.signal,
      onHeld,
    });
    const leftOver = await decrypted.leftOver();
    if (leftOver.length > 0)
      logger.info({ messages: leftOver.length }, 'another worker left messages unfinished');
    return pass && this.#connect(this.#account, pass, leftOver);
  }

  /** Deletes the credentials, loaded or not. @throws {FencedError} when the session is another worker's. */
  wipe(): Promise<void> {
    return this.#account?.wipe() ?? this.#options.store.deleteAuth();
  }

  async #loadAccount(): Promise<Account> {
    const { store, decrypted, logger, onFenced, onStorageFailed, onUnreadable } = this.#options;
    await decrypted.restore((ids) => store.auth.readRecords('inbox', ids));
    return Account.load({
      store: store.auth,
      deleteStored: store.deleteAuth,
      logger,
      onFenced,
      onStorageFailed,
      onUnreadable,
    });
  }

  #connect(account: Account, pass: ConnectPass, leftOver: readonly BinaryNode[]): Connection {
    const { url, connectTimeoutMs, qrLifeMs, caches, decrypted, repeated, sentMessages, logger } =
      this.#options;
    const connection: Connection = new Connection({
      auth: (isWanted) => account.auth(isWanted),
      url,
      qrLifeMs,
      connectTimeoutMs,
      pass,
      logger,
      caches,
      decrypted,
      repeated,
      leftOver,
      onMessageDone: (message) => this.#options.onMessageDone(connection, message),
      onLinkRefresh: () => this.#options.onLinkRefresh(connection),
      getMessage: ({ id }) => sentMessages.find(id),
      onEvents: (events) => {
        caches.groups.invalidate(events);
        this.#options.onEvents(connection, events);
      },
    });
    return connection;
  }
}
