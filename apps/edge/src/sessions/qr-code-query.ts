import { type Qr, type SessionStatus, WafleetError } from '@wafleet/contract';
import type { LinkOffers, SessionDirectory, SessionRef, WorkerRegistry } from '@wafleet/store';
import { hasLivingOwner } from './owner-liveness.js';

interface CurrentQrResources {
  readonly sessions: SessionDirectory;
  readonly offers: LinkOffers;
  readonly workers: WorkerRegistry;
}

/** Why a session in a state shows no QR code, if its record gives no reason of its own. */
const REASONS: Readonly<Record<SessionStatus, string>> = {
  queued: 'waits for a worker',
  connecting: 'connects to WhatsApp',
  awaiting_link: 'a new QR code comes in a moment',
  open: 'is already linked',
  reconnecting: 'is linked and reconnects',
  closed: 'is closed',
  logged_out: 'was logged out on the phone',
  failed: 'failed',
};

/** The QR code that links a session. */
export class QrCodeQuery {
  readonly #resources: CurrentQrResources;

  constructor(resources: CurrentQrResources) {
    this.#resources = resources;
  }

  /**
   * The QR code that WhatsApp would accept now: it has not expired, and the worker that shows it is alive, since the
   * code dies with its worker's connection. Redis forgets it when it expires, since the worker's clock may differ from
   * this one.
   * @throws {WafleetError} SESSION_NOT_FOUND; QR_NOT_AVAILABLE with `details` {status, reason}.
   */
  async get(ref: SessionRef): Promise<Qr> {
    const { sessions, offers, workers } = this.#resources;
    const [record, offer] = await Promise.all([sessions.require(ref), offers.getQr(ref)]);
    if (
      offer === undefined ||
      record.status !== 'awaiting_link' ||
      !(await hasLivingOwner(record, workers))
    ) {
      const reason = record.reason ?? REASONS[record.status];
      throw new WafleetError('QR_NOT_AVAILABLE', `The session shows no QR code: ${reason}.`, {
        status: record.status,
        reason,
      });
    }
    return { qr: offer.qr, expiresAt: new Date(offer.expiresAt).toISOString() };
  }
}
