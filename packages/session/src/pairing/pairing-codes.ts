import { WafleetError } from '@wafleet/contract';
import { type Logger, withTimeout } from '@wafleet/runtime';
import type { SessionAccount } from '../auth/session-account.js';
import { requestPairingCode } from '../connection/companion-requests.js';
import type { ConnectionSupervisor } from '../connection/connection-supervisor.js';
import type { WhatsAppConnection } from '../connection/whatsapp-connection.js';
import type { SessionLifecycle } from '../status/lifecycle.js';
import type { StatusReporter } from '../status/status-reporter.js';
import type { LinkProgressTracker } from './link-progress.js';
import type { PairingOffers } from './pairing-offers.js';

const CODE_MS = 180_000;
/**
 * A QR round with less time left than this is not used for a pairing code, since the code becomes invalid with its
 * connection.
 */
const LEAST_CODE_MS = 120_000;

interface PairingCodesOptions {
  readonly account: SessionAccount;
  readonly lifecycle: SessionLifecycle;
  readonly statusReporter: StatusReporter;
  readonly pairingOffers: PairingOffers;
  readonly linkProgress: LinkProgressTracker;
  readonly supervisor: ConnectionSupervisor;
  readonly connectTimeoutMs: number;
  readonly logger: Logger;
}

/** Gets pairing codes from WhatsApp, over a connection that lasts long enough to enter one. */
export class PairingCodes {
  readonly #options: PairingCodesOptions;

  constructor(options: PairingCodesOptions) {
    this.#options = options;
  }

  /**
   * Asks WhatsApp for a code that links the phone of this number. No QR code is shown until the code expires. A second
   * request invalidates the first code.
   * @param phone digits only, country code first.
   * @returns the code, and when it expires, ms since 1970.
   * @throws {WafleetError} ALREADY_LINKED, WHATSAPP_REFUSED, SESSION_NOT_OPEN: also if a phone has begun to link the
   * session by an earlier code meanwhile. That link goes on.
   */
  async request(phone: string): Promise<{ code: string; expiresAt: number }> {
    const { account, lifecycle, statusReporter, pairingOffers, linkProgress, logger } = this.#options;
    if (account.current?.isLinked === true) throw alreadyLinked();
    if (!lifecycle.isRunning) throw statusReporter.notOpen();
    pairingOffers.expectCode();
    linkProgress.reach('waiting');
    statusReporter.report();
    try {
      const connection = await this.#readyConnection();
      this.#requireFree(connection);
      pairingOffers.expectCode();
      const code = await requestPairingCode(connection.socket, { phone, browser: connection.browser });
      this.#requireFree(connection);
      const expiresAt = Math.min(Date.now() + CODE_MS, connection.qrRound.endsAt);
      linkProgress.reach('code-shown', expiresAt);
      statusReporter.report();
      pairingOffers.showCode(code, phone, expiresAt, () => this.#codeExpired());
      return { code, expiresAt };
    } catch (error) {
      if (!this.#isBeingLinked) this.#offerQrAgain();
      if (error instanceof WafleetError) throw error;
      logger.warn({ err: error }, 'WhatsApp gave no pairing code');
      throw statusReporter.notOpen();
    }
  }

  /** Whether a phone has linked the session, or does so by passkey. */
  get #isBeingLinked(): boolean {
    const { account, supervisor } = this.#options;
    return account.current?.isLinked === true || supervisor.current?.passkey.isUnderWay === true;
  }

  /** @throws {WafleetError} if a code for this connection is of no use, or would disturb the link that goes on. */
  #requireFree(connection: WhatsAppConnection): void {
    const { account, lifecycle, statusReporter, supervisor } = this.#options;
    if (account.current?.isLinked === true) throw alreadyLinked();
    if (!lifecycle.isRunning || supervisor.current !== connection) throw statusReporter.notOpen();
    if (connection.passkey.isUnderWay) {
      const { status } = statusReporter;
      throw new WafleetError('SESSION_NOT_OPEN', 'A phone links the session by an earlier code now.', {
        status,
      });
    }
  }

  #offerQrAgain(): void {
    const { pairingOffers, linkProgress, statusReporter, supervisor } = this.#options;
    if (pairingOffers.offerQrAgain()) {
      linkProgress.reach('qr-shown', supervisor.current?.qrRound.endsAt);
      statusReporter.report();
    }
  }

  #codeExpired(): void {
    const { linkProgress, statusReporter } = this.#options;
    const message =
      linkProgress.step === 'code-entered'
        ? 'The phone did not complete the link after the pairing code was typed.'
        : 'The pairing code expired before it was typed into the phone.';
    linkProgress.fail('expired', message);
    statusReporter.report();
    void this.#linkAnew();
  }

  /** Returns a connection that waits for a link, with fresh credentials and enough time left. */
  async #readyConnection(): Promise<WhatsAppConnection> {
    const { account, statusReporter, pairingOffers, supervisor, connectTimeoutMs } = this.#options;
    const { current } = supervisor;
    const timeLeft = (current?.qrRound.endsAt ?? 0) - Date.now();
    const isFree = current?.passkey.isUnderWay === false && account.current?.isHalfLinked === false;
    if (current !== undefined && isFree && timeLeft >= LEAST_CODE_MS) {
      return current;
    }
    const qrCame = pairingOffers.nextQr();
    void this.#linkAnew();
    const inTime = await withTimeout(qrCame, connectTimeoutMs);
    if (!inTime || supervisor.current === undefined) throw statusReporter.notOpen();
    return supervisor.current;
  }

  async #linkAnew(): Promise<void> {
    const { account, lifecycle, supervisor } = this.#options;
    if (lifecycle.isRunning && account.current?.isLinked !== true) await supervisor.replace();
  }
}

function alreadyLinked(): WafleetError {
  return new WafleetError('ALREADY_LINKED', 'The session is already linked to a phone.');
}
