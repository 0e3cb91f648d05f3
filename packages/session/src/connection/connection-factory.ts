import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@wafleet/runtime';
import type { Fence } from '@wafleet/store';
import type { BaileysEventMap, BinaryNode } from '@whiskeysockets/baileys';
import { Account } from '../auth/account.js';
import type { LearntPair } from '../baileys/patches/shared-lid-mappings.js';
import type { CachesOfSession } from '../caches/session-caches.js';
import type { SentMessages } from '../commands/sent-messages.js';
import type { FinishedMessage } from '../events/outbox.js';
import type { KnownPerson } from '../identity/people.js';
import type { DecryptionJournal } from '../inbound/decryption-journal.js';
import type { MessageDeduplicator } from '../inbound/message-deduplicator.js';
import type { WhatsAppSessionOptions } from '../session-options.js';
import type { ConnectLimiter, ConnectPermit } from './connect-limiter.js';
import type { SilenceDetector } from './silence-detector.js';
import { WhatsAppConnection } from './whatsapp-connection.js';

/** How often a session that waits until its ownership is certain checks it again. */
const CERTAINTY_LOOK_MS = 50;

interface ConnectorOptions {
  readonly fence: Fence;
  /** See WhatsAppSessionOptions. */
  readonly isOwnershipCertain: () => boolean;
  readonly store: Pick<WhatsAppSessionOptions['store'], 'auth' | 'deleteAuth' | 'finishedMessages'>;
  readonly connectLimiter: ConnectLimiter;
  readonly caches: CachesOfSession;
  /** A server other than WhatsApp's, and the time limits of a connection, as in `ConnectionOptions`. */
  readonly url: string | undefined;
  readonly connectTimeoutMs: number;
  readonly qrLifeMs: number | undefined;
  readonly decrypted: DecryptionJournal;
  readonly repeated: MessageDeduplicator;
  readonly quiet: SilenceDetector;
  readonly sentMessages: SentMessages;
  readonly logger: Logger;
  /** A write of the credentials found that another worker owns the session. */
  readonly onFenced: () => void;
  readonly onStorageFailed: () => void;
  /** Stored credentials turned out to be damaged, or sealed with a key that this worker does not have. */
  readonly onUnreadable: (error: unknown) => void;
  /** WhatsApp refuses this version of the client, so the wait for a permit may be long. */
  readonly onHeld: () => void;
  readonly onLinkRefresh: (connection: WhatsAppConnection) => void;
  readonly onMessageDone: (message: FinishedMessage) => void;
  /** Runs a step when all events that were handed out before it are in the log. */
  readonly afterEvents: (step: () => Promise<void>, characters: number) => void;
  readonly onEvents: (connection: WhatsAppConnection, events: Partial<BaileysEventMap>) => void;
  /** Pairs of LID and number were stored for the first time. */
  readonly onPairsLearnt: (pairs: readonly LearntPair[]) => void;
  /** WhatsApp reported the members of a group. */
  readonly onGroupMembers: (members: readonly KnownPerson[]) => void;
}

/**
 * Opens a session's connections, one after the other. It gives each of them what outlives a connection: the account,
 * the caches and the unfinished messages.
 */
export class ConnectionFactory {
  readonly #options: ConnectorOptions;
  #account: Account | undefined;
  #isDiscarded = false;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** Undefined until the first connection is opened. */
  get account(): Account | undefined {
    return this.#account;
  }

  /**
   * Waits for a permit to connect, and connects. Gives the permit back if it is not used.
   *
   * The permit, the lease and the signal are checked again after every wait: a process that was frozen gets the permit
   * and the loss of its sessions in one turn of the event loop, in any order.
   * @param request.isLinkFresh a phone has just linked the session, and a person waits for it to open.
   * @returns undefined if the signal was aborted.
   * @throws the error of reading the credentials: {FencedError}, {SealedValueError}, or an error because Redis is
   * unreachable.
   */
  async open(request: {
    signal: AbortSignal;
    isLinkFresh: boolean;
  }): Promise<WhatsAppConnection | undefined> {
    const { signal, isLinkFresh } = request;
    if (this.#account === undefined) await this.#options.connectLimiter.loads.turn();
    if (signal.aborted) return undefined;
    const account = await this.#loadedAccount();
    if (signal.aborted) return undefined;
    // The credentials from the last connection must be stored before the next connection logs in with them.
    await account.settle();
    await this.#options.decrypted.settle();
    if (signal.aborted) return undefined;
    if (account.isHalfLinked) await account.reset();
    while (!signal.aborted) {
      if (!this.#options.isOwnershipCertain()) {
        await delay(CERTAINTY_LOOK_MS, undefined, { signal }).catch(() => {});
        continue;
      }
      const pass = await this.#pass(signal, !account.isLinked || isLinkFresh);
      const connection = pass && this.#openWith(pass, { account, signal });
      if (connection !== undefined) return connection;
    }
    return undefined;
  }

  /** Lets every write that has not begun fail, including the writes of an account that is still being loaded. */
  discard(): void {
    this.#isDiscarded = true;
    this.#account?.discard();
  }

  /** Deletes the credentials, loaded or not. @throws {FencedError} if another worker owns the session. */
  wipe(): Promise<void> {
    return this.#account?.wipe() ?? this.#options.store.deleteAuth();
  }

  #pass(signal: AbortSignal, isUrgent: boolean): Promise<ConnectPermit | undefined> {
    const { connectLimiter, fence, onHeld } = this.#options;
    return connectLimiter.pass({ tenantId: fence.tenantId, isUrgent, signal, onHeld });
  }

  /** Gives the permit back and returns undefined if the session may not connect any more, or not now. */
  #openWith(
    pass: ConnectPermit,
    { account, signal }: { account: Account; signal: AbortSignal },
  ): WhatsAppConnection | undefined {
    const { decrypted, logger, isOwnershipCertain } = this.#options;
    if (signal.aborted || !isOwnershipCertain()) {
      pass.ended(0);
      return undefined;
    }
    try {
      const leftOver = decrypted.leftOver();
      if (leftOver.length > 0)
        logger.info({ messages: leftOver.length }, 'messages that were left unfinished are done');
      return this.#connect(account, pass, leftOver);
    } catch (error) {
      pass.ended(0);
      throw error;
    }
  }

  async #loadedAccount(): Promise<Account> {
    this.#account ??= await this.#loadAccount();
    if (this.#isDiscarded) this.#account.discard();
    return this.#account;
  }

  async #loadAccount(): Promise<Account> {
    const { store, decrypted, logger, onFenced, onStorageFailed, onUnreadable } = this.#options;
    const account = await Account.load({
      store: store.auth,
      deleteStored: store.deleteAuth,
      logger,
      onFenced,
      onStorageFailed,
      onUnreadable,
    });
    // This comes after the credentials are loaded: with a wrong key no row of the journal may be treated as malformed.
    await decrypted.restore({
      read: (ids) => store.auth.readRecords('inbox', ids),
      delete: (ids) => account.deleteInbox(ids),
    });
    return account;
  }

  #connect(account: Account, pass: ConnectPermit, leftOver: readonly BinaryNode[]): WhatsAppConnection {
    const { url, connectTimeoutMs, qrLifeMs, caches, decrypted, repeated, sentMessages, logger } =
      this.#options;
    const connection: WhatsAppConnection = new WhatsAppConnection({
      auth: (isWanted, onRefused) => account.auth(isWanted, onRefused),
      isOwnershipCertain: this.#options.isOwnershipCertain,
      url,
      qrLifeMs,
      connectTimeoutMs,
      pass,
      quiet: this.#options.quiet,
      logger,
      caches,
      decrypted,
      repeated,
      leftOver,
      onMessageDone: this.#options.onMessageDone,
      afterEvents: this.#options.afterEvents,
      onLinkRefresh: () => this.#options.onLinkRefresh(connection),
      getMessage: ({ id }) => sentMessages.find(id),
      onEvents: (events) => {
        caches.groups.invalidate(events);
        this.#options.onEvents(connection, events);
      },
      onPairsLearnt: this.#options.onPairsLearnt,
      onGroupMembers: this.#options.onGroupMembers,
    });
    return connection;
  }
}
