import type { LinkProblemCode, LinkStep, PasskeyStage, PasskeyView } from '@wafleet/contract';
import type { SessionAccount } from '../auth/session-account.js';
import { QR_CODES_USED_UP } from '../connection/disconnects.js';
import type { DisconnectCause } from '../mapping/connection.js';
import type { StatusReporter } from '../status/status-reporter.js';
import type { LinkProgressTracker } from './link-progress.js';
import type { PairingOffers } from './pairing-offers.js';

const UNAUTHORISED = 401;

const PASSKEY_STEPS: Readonly<Record<PasskeyStage, LinkStep>> = {
  requested: 'passkey-requested',
  signed: 'passkey-signed',
  'code-shown': 'passkey-code-shown',
  confirmed: 'passkey-code-shown',
};

interface LinkReporterOptions {
  readonly linkProgress: LinkProgressTracker;
  readonly statusReporter: StatusReporter;
  readonly pairingOffers: PairingOffers;
  readonly account: SessionAccount;
}

/** Turns what happens to a session that is being linked into steps and problems of the link. */
export class LinkReporter {
  readonly #options: LinkReporterOptions;

  constructor(options: LinkReporterOptions) {
    this.#options = options;
  }

  /**
   * A connection begins, so that the account is known: also to a worker that has taken the session over. Must be
   * reported with the status.
   */
  restate(): void {
    const { linkProgress, account } = this.#options;
    if (account.current?.isLinked !== true) linkProgress.reach('waiting');
    else if (!account.current.hasLoggedIn) linkProgress.reach('confirmed');
    else if (!linkProgress.isLinked) linkProgress.end();
  }

  /** The session is open. Must be reported with the status. */
  opened(): void {
    const { linkProgress } = this.#options;
    if (linkProgress.step !== undefined) linkProgress.beginSync(() => this.synced());
  }

  /** Whether the first part of the history has come, or is not waited for any longer. Reported if it has. */
  checkSync(): void {
    if (this.#options.account.current?.hasSynced === true) this.synced();
  }

  /** Reports the end of the link's last step. Does nothing in another step. */
  synced(): void {
    const { linkProgress, statusReporter } = this.#options;
    if (linkProgress.step !== 'syncing') return;
    linkProgress.reach('open');
    statusReporter.report();
    linkProgress.end();
  }

  /** Reports that a pairing code was typed into the phone. Whether it is the right one is not known yet. */
  codeEntered(): void {
    const { linkProgress, pairingOffers, statusReporter } = this.#options;
    pairingOffers.codeEntered();
    linkProgress.reach('code-entered', pairingOffers.codeExpiresAt);
    statusReporter.report();
  }

  /** Reports that another code was typed into the phone. The right one can still be typed, while it is valid. */
  codeRefused(): void {
    const { linkProgress, pairingOffers, statusReporter } = this.#options;
    pairingOffers.codeRefused();
    const { codeExpiresAt: expiresAt } = pairingOffers;
    const still = expiresAt === undefined ? {} : ({ step: 'code-shown', expiresAt } as const);
    linkProgress.fail(
      'refused',
      'The code that was typed into the phone is not the one that is shown.',
      still,
    );
    statusReporter.report();
  }

  /** Reports how far a link by passkey has come. */
  passkeyChanged(view: PasskeyView | undefined): void {
    const { linkProgress, statusReporter } = this.#options;
    if (view === undefined) return;
    linkProgress.reach(PASSKEY_STEPS[view.stage], Date.parse(view.expiresAt));
    statusReporter.set('awaiting_link', 'passkey');
  }

  passkeyFailed(code: LinkProblemCode, message: string): void {
    const { linkProgress, statusReporter } = this.#options;
    linkProgress.fail(code, message);
    statusReporter.set('awaiting_link', undefined);
  }

  /** Reports that the codes of the connection are not to be used any more. */
  codesRefreshed(message: string): void {
    const { linkProgress, statusReporter } = this.#options;
    linkProgress.fail('expired', message);
    statusReporter.report();
  }

  /**
   * A connection has ended, and its pairing code is not forgotten yet. Must be reported with the status.
   * @param end.isPaired whether WhatsApp had linked the client over that connection.
   * @param end.isRefused whether WhatsApp does not know the link that the phone had signed.
   */
  connectionEnded(end: {
    readonly cause: DisconnectCause;
    readonly isPaired: boolean;
    readonly isRefused: boolean;
    /** Whether a link by passkey was going on over that connection. */
    readonly isPasskeyUnderWay: boolean;
  }): void {
    const { linkProgress, pairingOffers, account } = this.#options;
    if (linkProgress.step === undefined) return;
    if (end.isRefused) linkProgress.fail('refused', 'WhatsApp does not know the link.');
    else if (account.current?.isLinked === true) {
      if (linkProgress.step !== 'syncing') linkProgress.reach('confirmed');
    } else if (end.isPaired || end.cause.statusCode === UNAUTHORISED)
      linkProgress.fail('refused', 'The link was refused.');
    else if (end.isPasskeyUnderWay)
      linkProgress.fail('cancelled', 'The connection was lost before the link was complete.');
    else if (pairingOffers.codeExpiresAt !== undefined)
      linkProgress.fail('expired', 'The pairing code ended with its connection.');
    else if (end.cause.message === QR_CODES_USED_UP.message)
      linkProgress.fail('expired', 'The QR codes ran out before one was scanned.');
    else linkProgress.reach('waiting');
  }

  /** No phone was linked for too long. Must be reported with the status. */
  gaveUp(): void {
    this.#options.linkProgress.fail('expired', 'No phone was linked in time.');
  }

  /** WhatsApp refuses the account for good. Must be reported with the status. */
  accountRefused(): void {
    const { linkProgress } = this.#options;
    if (linkProgress.step !== undefined) linkProgress.fail('refused', 'WhatsApp refuses the account.');
  }
}
