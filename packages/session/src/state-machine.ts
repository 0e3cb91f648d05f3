import type { LinkProblemCode } from '@wafleet/contract';
import { ProxyUrlError } from '@wafleet/egress';
import type { Logger } from '@wafleet/runtime';
import { FencedError, isRedisUnreachable, ProxyUnreadableError, SealedValueError } from '@wafleet/store';
import type { ConnectionState } from '@whiskeysockets/baileys';
import type { KeyStoreFailures } from './auth/durable-key-store.js';
import type { SessionAccount } from './auth/session-account.js';
import { CLIENT_OUTDATED } from './connection/connect-permit.js';
import type { ConnectionSupervisor } from './connection/connection-supervisor.js';
import { causeOf, isDeviceRemoved } from './connection/disconnects.js';
import type { LinkVersions } from './connection/link-versions.js';
import { Reconnecting } from './connection/reconnect-policy.js';
import type { WhatsAppConnection } from './connection/whatsapp-connection.js';
import type { DisconnectCause } from './mapping/connection.js';
import type { Outbox } from './outbox/outbox.js';
import type { LinkProgressTracker } from './pairing/link-progress.js';
import type { LinkReporter } from './pairing/link-reporter.js';
import type { PairingOffers } from './pairing/pairing-offers.js';
import type { SessionEnd, SessionLifecycle } from './status/lifecycle.js';
import type { Occasion, StatusReporter } from './status/status-reporter.js';

const UNAUTHORISED = 401;

interface StateMachineOptions {
  readonly lifecycle: SessionLifecycle;
  readonly statusReporter: StatusReporter;
  readonly linkProgress: LinkProgressTracker;
  readonly linkReporter: LinkReporter;
  readonly pairingOffers: PairingOffers;
  readonly linkVersions: LinkVersions;
  readonly supervisor: ConnectionSupervisor;
  readonly account: SessionAccount;
  readonly outbox: Outbox;
  /** When the credentials were imported, ms since 1970; undefined if they were not. */
  readonly importedAt?: number | undefined;
  readonly logger: Logger;
}

/** The end of a connection as Baileys reports it, and its cause. */
type ConnectionEnd = Occasion & {
  readonly cause: DisconnectCause;
  /** The version of WhatsApp Web that the connection reported. */
  readonly version: string;
};

/**
 * Derives the status of a session from the events of its connection, the failures of its storage and the requests to the
 * session.
 *
 * | status | how it comes about | what ends it |
 * |---|---|---|
 * | connecting | start; the restart that follows a link | QR code → awaiting_link; login → open |
 * | awaiting_link | WhatsApp sent QR codes | link → connecting; no link for too long → closed |
 * | open | login | loss of the connection → reconnecting; stop → queued |
 * | reconnecting | loss of the connection (see disconnects.ts); an error while one was opened | login → open; QR code → awaiting_link |
 * | queued | stop: another worker is to take it | a new session object |
 * | closed | no phone was linked in time | a new session object |
 * | logged_out | unlinked, here or on the phone; the keys are wiped | a new session object |
 * | failed | a disconnect that needs a person; credentials that cannot be read | a new session object |
 */
export class SessionStateMachine implements KeyStoreFailures {
  readonly #options: StateMachineOptions;
  readonly #reconnecting: Reconnecting;
  #isLinkFresh = false;
  /** The connection over which the session says something else of itself than its settings, until its link has ended. */
  #outdated: WhatsAppConnection | undefined;

  constructor(options: StateMachineOptions) {
    this.#options = options;
    this.#reconnecting = new Reconnecting({ importedAt: options.importedAt });
  }

  /** A phone has just linked the session, and a person waits for it to open. */
  get isLinkFresh(): boolean {
    return this.#isLinkFresh;
  }

  start(): void {
    this.#options.statusReporter.set('connecting', undefined);
  }

  /** Another worker is to take the session. */
  queue(reason: string | undefined, occasion?: ConnectionEnd): void {
    const { linkProgress } = this.#options;
    if (linkProgress.step !== undefined && !linkProgress.isLinked) linkProgress.reach('waiting');
    this.#options.statusReporter.set('queued', reason, occasion);
  }

  /** WhatsApp refuses this version of the client. It will let the session connect at a later time. */
  holdUp(): void {
    this.#options.statusReporter.set('reconnecting', 'client-outdated');
  }

  /** Wipes the keys. */
  logOut(reason: string, occasion: Occasion = {}): void {
    const { outbox, account, statusReporter, linkProgress } = this.#options;
    outbox.run(() => account.wipe());
    linkProgress.end();
    statusReporter.set('logged_out', reason, { ...occasion, phone: null });
  }

  /** Handles an update of the current connection. */
  follow(connection: WhatsAppConnection, update: Partial<ConnectionState>): void {
    if (update.connection === 'close') this.#followClose(connection, update);
    else this.#followUpdate(connection, update);
  }

  #followClose(connection: WhatsAppConnection, update: Partial<ConnectionState>): void {
    const { supervisor, lifecycle, linkVersions } = this.#options;
    supervisor.letGo();
    linkVersions.connectionEnded();
    const cause = connection.cause ?? causeOf(update.lastDisconnect);
    const end = { update, cause, version: connection.version };
    if (lifecycle.isStopping) this.queue(lifecycle.stopReason, end);
    if (lifecycle.isRunning) this.#reactTo(connection, end);
  }

  #followUpdate(connection: WhatsAppConnection, update: Partial<ConnectionState>): void {
    const { statusReporter, linkProgress, linkReporter, pairingOffers, supervisor, account, linkVersions } =
      this.#options;
    if (update.connection === 'open') {
      pairingOffers.close();
      this.#isLinkFresh = false;
      linkVersions.forgetLink();
      supervisor.markOpen();
      const { phone, device } = account.current ?? {};
      linkReporter.opened();
      statusReporter.set('open', undefined, { update, phone, device });
      linkReporter.checkSync();
    } else if (update.qr !== undefined) {
      if (pairingOffers.showsQr) linkProgress.reach('qr-shown', connection.qrRound.endsAt);
      statusReporter.set('awaiting_link', undefined);
      pairingOffers.showQr(update.qr, connection.qrRound.codeExpiresAt);
    } else if (update.isNewLogin === true) {
      pairingOffers.linked();
      this.#isLinkFresh = true;
      linkVersions.linked(connection.version);
      if (linkProgress.step === 'qr-shown') linkProgress.reach('scanned');
      const { phone, device } = account.current ?? {};
      statusReporter.set('connecting', 'linked', { update, phone, device });
    } else {
      if (update.connection === 'connecting') linkReporter.restate();
      statusReporter.report({ update });
    }
  }

  /** Handles an end of the connection that the session did not request. */
  #reactTo(connection: WhatsAppConnection, end: ConnectionEnd): void {
    const { statusReporter, linkReporter, pairingOffers, account, linkVersions, logger } = this.#options;
    logger.info({ ...end.cause, status: statusReporter.status }, 'the connection ended');
    pairingOffers.connectionEnded();
    const isLinkRefused = this.#isLinkRefused(end);
    if (isLinkRefused) {
      account.current?.refuseLink();
      this.#isLinkFresh = false;
    }
    if (isLinkRefused || end.cause.statusCode === CLIENT_OUTDATED) linkVersions.forgetLink();
    else linkVersions.loginFailed({ isPaired: connection.isPaired });
    const isLinked = account.current?.isLinked ?? false;
    linkReporter.connectionEnded({
      cause: end.cause,
      isPaired: connection.isPaired,
      isRefused: isLinkRefused,
      isPasskeyUnderWay: connection.passkey.isUnderWay,
    });
    // A pairing code becomes invalid with the connection that requested it.
    if (!isLinked) pairingOffers.offerQr();
    const lastDisconnect = end.update?.lastDisconnect;
    const reaction = this.#reconnecting.reactionTo(end.cause, { isLinked, lastDisconnect });
    switch (reaction.kind) {
      case 'reconnect':
        this.#reconnect(reaction, isLinkRefused ? { ...end, phone: null } : end);
        break;
      case 'new-qr-round':
        this.#offerLinkAgain(end);
        break;
      case 'logged-out':
        this.logOut(reaction.reason, end);
        this.#endWhenIdle('logged_out');
        break;
      case 'failed':
        linkReporter.accountRefused();
        this.#rest('failed', reaction.reason, end);
        break;
    }
  }

  /** A phone has entered a pairing code over this connection. Whether it is the right one is not known yet. */
  codeEntered(connection: WhatsAppConnection): void {
    const { supervisor, linkVersions, linkReporter } = this.#options;
    if (supervisor.current !== connection) return;
    linkVersions.codeEntered(connection.version);
    linkReporter.codeEntered();
  }

  /** Another pairing code was typed into the phone than the one that is shown. */
  codeRefused(connection: WhatsAppConnection): void {
    const { supervisor, linkVersions, linkReporter, pairingOffers } = this.#options;
    if (supervisor.current !== connection) return;
    linkVersions.phoneAnswered();
    const isOutdated = this.#outdated === connection;
    if (isOutdated) pairingOffers.offerQr();
    linkReporter.codeRefused();
    if (isOutdated) this.#beginLinkAgain();
  }

  /** WhatsApp no longer takes the codes of this connection. */
  linkRefreshed(connection: WhatsAppConnection): void {
    if (this.#options.supervisor.current === connection)
      this.#refreshLink(connection, 'WhatsApp no longer accepts the codes.');
  }

  /**
   * The session is to say something else of itself when it is linked. If codes are shown, new ones follow. While a phone
   * links the session by a pairing code or a passkey, that waits until the link has failed.
   */
  deviceChanged(): void {
    const { supervisor, linkProgress } = this.#options;
    const { current } = supervisor;
    if (current === undefined) return;
    if (linkProgress.step === 'code-entered') this.#outdated = current;
    else this.#refreshLink(current, 'The session has other settings of its device now.');
  }

  /** A new connection gets new codes, unless the session is linked or the phone links it by passkey. */
  #refreshLink(connection: WhatsAppConnection, message: string): void {
    const { account, linkReporter } = this.#options;
    if (account.current?.isLinked !== false || connection.passkey.isUnderWay) return;
    linkReporter.codesRefreshed(message);
    this.#beginLinkAgain();
  }

  #beginLinkAgain(): void {
    const { supervisor, pairingOffers } = this.#options;
    pairingOffers.offerQr();
    pairingOffers.connectionEnded();
    void supervisor.replace();
  }

  /** WhatsApp demands a passkey over this connection, or that has come further. No codes are shown meanwhile. */
  passkeyChanged(connection: WhatsAppConnection): void {
    const { supervisor, pairingOffers, linkVersions, linkReporter } = this.#options;
    if (supervisor.current !== connection) return;
    linkVersions.phoneAnswered();
    pairingOffers.pause();
    linkReporter.passkeyChanged(connection.passkey.view);
  }

  /** The link by passkey has failed. A new connection gets new codes. */
  passkeyFailed(connection: WhatsAppConnection, code: LinkProblemCode, message: string): void {
    const { supervisor, linkReporter } = this.#options;
    if (supervisor.current !== connection) return;
    linkReporter.passkeyFailed(code, message);
    this.#beginLinkAgain();
  }

  /**
   * No connection could be opened. Only credentials that no key opens, and a proxy that is none, are a permanent failure.
   * After any other error a later attempt may succeed, here or on a worker of another release.
   */
  cannotOpen(error: unknown): void {
    const { lifecycle, statusReporter, supervisor, logger } = this.#options;
    if (!lifecycle.isRunning) return;
    if (error instanceof FencedError) {
      this.fenced();
      return;
    }
    if (error instanceof SealedValueError) {
      this.credentialsUnreadable(error);
      return;
    }
    if (error instanceof ProxyUrlError || error instanceof ProxyUnreadableError) {
      this.proxyUnreadable(error);
      return;
    }
    if (isRedisUnreachable(error)) {
      logger.warn({ err: error }, 'the credentials cannot be read now');
    } else {
      logger.error({ err: error }, 'the session could not be opened; it tries again');
      statusReporter.set('reconnecting', 'open-failed');
    }
    supervisor.openWithBackOff();
  }

  /** See KeyStoreFailures. The session ends at once. */
  fenced(): void {
    this.#options.lifecycle.end('fenced');
  }

  /** See KeyStoreFailures. The connection is replaced. */
  storageFailed(): void {
    const cause = { statusCode: 500, message: 'keys could not be stored' };
    this.#options.supervisor.current?.endWith(cause);
  }

  /** See KeyStoreFailures. The session comes to rest as `failed`. */
  credentialsUnreadable(error: unknown): void {
    this.#fail('credentials-unreadable', error);
  }

  /** What is stored of the session's proxy cannot be used. The session comes to rest as `failed`. */
  proxyUnreadable(error: unknown): void {
    this.#fail('proxy-unreadable', error);
  }

  #fail(reason: string, error: unknown): void {
    const { lifecycle, supervisor, logger } = this.#options;
    if (!lifecycle.isRunning) return;
    logger.error({ err: error, reason }, 'the session cannot be run with what is stored of it');
    supervisor.letGo()?.discard();
    this.#rest('failed', reason);
  }

  /**
   * Whether the phone's signature was stored but WhatsApp does not know the link, because the connection ended before
   * WhatsApp had the device's answer. WhatsApp answers the same for a removed device, but such a device has logged in
   * before.
   */
  #isLinkRefused({ cause, update }: ConnectionEnd): boolean {
    const account = this.#options.account.current;
    if (cause.statusCode !== UNAUTHORISED || isDeviceRemoved(update?.lastDisconnect)) return false;
    return account?.isLinked === true && !account.hasLoggedIn;
  }

  #reconnect({ reason, wait }: { reason: string; wait: 'back-off' | number }, end: ConnectionEnd): void {
    const { statusReporter, supervisor } = this.#options;
    const afterLink = wait === 0 && statusReporter.status === 'connecting';
    if (afterLink) statusReporter.report(end);
    else statusReporter.set('reconnecting', reason, end);
    if (wait === 'back-off') supervisor.openWithBackOff();
    else supervisor.openIn(wait);
  }

  #offerLinkAgain(end: ConnectionEnd): void {
    const { statusReporter, linkReporter, pairingOffers, supervisor, linkVersions } = this.#options;
    linkVersions.roundEnded(end.version);
    if (pairingOffers.isPatient) {
      statusReporter.report(end);
      supervisor.openIn(0);
    } else {
      linkReporter.gaveUp();
      this.#rest('closed', 'link-timeout', end);
    }
  }

  #rest(status: 'closed' | 'failed', reason: string, occasion?: Occasion): void {
    const { statusReporter, pairingOffers } = this.#options;
    pairingOffers.close();
    statusReporter.set(status, reason, occasion);
    this.#endWhenIdle(status);
  }

  /** Ends the session once its final status and everything else in its outbox has been written. */
  #endWhenIdle(end: SessionEnd): void {
    const { lifecycle, supervisor, outbox } = this.#options;
    lifecycle.beginStop();
    void supervisor.close();
    void outbox.idle().then(() => lifecycle.end(end));
  }
}
