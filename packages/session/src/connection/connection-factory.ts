import { setTimeout as delay } from 'node:timers/promises';
import type { AuthStateStore, Fence } from '@wafleet/store';
import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Account } from '../auth/account.js';
import type { KeyStoreFailures } from '../auth/durable-key-store.js';
import type { SessionAccount } from '../auth/session-account.js';
import type { SettingsInForce } from '../settings/settings-in-force.js';
import type { ConnectLimiter } from './connect-limiter.js';
import type { ConnectPermit } from './connect-permit.js';
import type { LinkVersions } from './link-versions.js';
import { type ConnectionResources, WhatsAppConnection } from './whatsapp-connection.js';

/** How often a session that waits until its ownership is certain checks it again. */
const CERTAINTY_LOOK_MS = 50;

/** Learns what happens while a connection is opened. */
interface OpeningListener extends KeyStoreFailures {
  /** Whether a phone has just linked the session, and a person waits for it to open. */
  readonly isLinkFresh: boolean;
  /** WhatsApp refuses this version of the client, so the wait for a permit may be long. */
  holdUp(): void;
  /** No connection could be opened. */
  cannotOpen(error: unknown): void;
}

interface ConnectionFactoryOptions {
  readonly fence: Fence;
  readonly connectLimiter: ConnectLimiter;
  readonly account: SessionAccount;
  /** Read right before each connection, so that a change whose announcement was lost takes effect. */
  readonly settings: Pick<SettingsInForce, 'load'>;
  /** Chooses the version of connections that are to be linked. */
  readonly linkVersions: Pick<LinkVersions, 'stepFor'>;
  /** Where the rows of the journal are stored. */
  readonly auth: Pick<AuthStateStore, 'readRecords'>;
  /** Learns why no connection could be opened, and of failures of the account's keys. */
  readonly stateMachine: OpeningListener;
  /** What each connection uses, and what outlives it. */
  readonly resources: ConnectionResources;
}

/** Opens a session's connections, one after the other. */
export class ConnectionFactory {
  readonly #options: ConnectionFactoryOptions;
  /** That of the last connection. */
  #lastPermit: ConnectPermit | undefined;

  constructor(options: ConnectionFactoryOptions) {
    this.#options = options;
  }

  /**
   * Waits for a permit to connect, and connects. Gives the permit back if it is not used. Never rejects: the state
   * machine learns why no connection could be opened.
   * @returns undefined if the signal was aborted, or if the connection could not be opened.
   */
  async open(signal: AbortSignal): Promise<WhatsAppConnection | undefined> {
    try {
      return await this.#open(signal);
    } catch (error) {
      this.#options.stateMachine.cannotOpen(error);
      return undefined;
    }
  }

  /**
   * The permit, the lease and the signal are checked again after every wait: a process that was frozen gets the permit
   * and the loss of its sessions in one turn of the event loop, in any order.
   */
  async #open(signal: AbortSignal): Promise<WhatsAppConnection | undefined> {
    const { account: loading, connectLimiter, stateMachine, resources } = this.#options;
    const { isLinkFresh } = stateMachine;
    if (loading.current === undefined) await connectLimiter.loads.turn();
    if (signal.aborted) return undefined;
    const account = await loading.load(stateMachine);
    // This comes after the credentials are loaded: with a wrong key no row of the journal may be treated as malformed.
    if (!resources.journal.isRestored) await this.#restoreJournal(account);
    if (signal.aborted) return undefined;
    // The credentials from the last connection must be stored before the next connection logs in with them.
    await account.settle();
    await resources.journal.settle();
    if (signal.aborted) return undefined;
    if (account.isHalfLinked) await account.reset();
    while (!signal.aborted) {
      if (!resources.isOwnershipCertain()) {
        await delay(CERTAINTY_LOOK_MS, undefined, { signal }).catch(() => {});
        continue;
      }
      const permit = await this.#permit(signal, account.isLinked, isLinkFresh);
      const connection = permit && (await this.#connect(permit, account, signal));
      if (connection !== undefined) return connection;
    }
    return undefined;
  }

  #restoreJournal(account: Account): Promise<void> {
    const { auth, resources } = this.#options;
    return resources.journal.restore({
      read: (ids) => auth.readRecords('inbox', ids),
      delete: (ids) => account.deleteInbox(ids),
    });
  }

  /** A person waits if the session is to be linked, or was linked just now. */
  #permit(signal: AbortSignal, isLinked: boolean, isLinkFresh: boolean): Promise<ConnectPermit | undefined> {
    const { connectLimiter, linkVersions, fence, stateMachine } = this.#options;
    const { tenantId, sessionId } = fence;
    return connectLimiter.permit({
      session: { tenantId, sessionId },
      isUrgent: !isLinked || isLinkFresh,
      linking: linkVersions.stepFor({ isLinked }),
      hasFailed: this.#lastPermit?.hasFailed ?? false,
      signal,
      onHeld: () => stateMachine.holdUp(),
    });
  }

  /** Gives the permit back and returns undefined if the session may not connect any more, or not now. */
  async #connect(
    permit: ConnectPermit,
    account: Account,
    signal: AbortSignal,
  ): Promise<WhatsAppConnection | undefined> {
    const { settings, resources } = this.#options;
    try {
      // The wait for the permit may have been long.
      await settings.load();
      if (signal.aborted || !resources.isOwnershipCertain()) {
        permit.ended(0);
        return undefined;
      }
      this.#lastPermit = permit;
      return new WhatsAppConnection(resources, { account, permit, leftOver: this.#leftOver() });
    } catch (error) {
      permit.ended(0);
      throw error;
    }
  }

  #leftOver(): readonly BinaryNode[] {
    const { journal, logger } = this.#options.resources;
    const leftOver = journal.leftOver();
    if (leftOver.length > 0)
      logger.info({ messages: leftOver.length }, 'messages that were left unfinished are done');
    return leftOver;
  }
}
