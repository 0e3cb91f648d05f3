import type { Fence, LinkOffers, PasskeyLinks } from '@wafleet/store';
import type { Outbox } from '../outbox/outbox.js';

/** How long the holder of a helper link can see that the session is linked. The extension asks every two seconds. */
const LINKED_KNOWN_MS = 60_000;

/**
 * What a session that is not linked shows: QR codes, or one pairing code. While a pairing code is valid, no QR code is
 * shown: the phone that scans it would not be the one for which the code was requested.
 */
export class PairingOffers {
  readonly #fence: Fence;
  readonly #offers: LinkOffers;
  readonly #passkeyLinks: PasskeyLinks;
  readonly #outbox: Outbox;
  readonly #patienceMs: number;
  readonly #linkAfterCodeMs: number;
  #givesUpAt: number;
  #isShowing = false;
  #lastQr: { readonly qr: string; readonly expiresAt: number } | undefined;
  #codeTimer: NodeJS.Timeout | undefined;
  #codeExpiresAt: number | undefined;
  #code: { readonly expiresAt: number; readonly onExpired: () => void } | undefined;
  #mode: 'qr' | 'pairing-code' = 'qr';
  #qrWaiters: (() => void)[] = [];
  /** Since when the link goes on by passkey, ms since 1970. */
  #pausedAt: number | undefined;

  /**
   * @param options.patienceMs how long a person may take, from the start or from the last request for a code.
   * @param options.linkAfterCodeMs how long the phone may take to link the session after a pairing code was typed.
   */
  constructor(options: {
    fence: Fence;
    offers: LinkOffers;
    /** The tokens of people who use a passkey. They end with what they were made for. */
    passkeyLinks: PasskeyLinks;
    outbox: Outbox;
    patienceMs: number;
    linkAfterCodeMs: number;
  }) {
    this.#fence = options.fence;
    this.#offers = options.offers;
    this.#passkeyLinks = options.passkeyLinks;
    this.#outbox = options.outbox;
    this.#patienceMs = options.patienceMs;
    this.#linkAfterCodeMs = options.linkAfterCodeMs;
    this.#givesUpAt = Date.now() + options.patienceMs;
  }

  get isPatient(): boolean {
    return this.#pausedAt !== undefined || Date.now() < this.#givesUpAt;
  }

  /** Whether QR codes are shown as they come, since no pairing code was asked for. */
  get showsQr(): boolean {
    return this.#mode === 'qr';
  }

  /** When the link by the pairing code that is shown ends, ms since 1970; undefined if none is shown. */
  get codeExpiresAt(): number | undefined {
    return this.#codeExpiresAt;
  }

  /** Resolves when WhatsApp sends the next QR code, shown or not. */
  nextQr(): Promise<void> {
    return new Promise((resolve) => this.#qrWaiters.push(resolve));
  }

  showQr(qr: string, expiresAt: number): void {
    for (const resolve of this.#qrWaiters.splice(0)) resolve();
    this.#lastQr = { qr, expiresAt };
    if (this.#mode === 'pairing-code') return;
    this.#isShowing = true;
    this.#outbox.run(() => this.#offers.putQr(this.#fence, { qr, expiresAt }));
    this.#outbox.publish([
      { event: 'auth.qr', payload: { qr, expiresAt: new Date(expiresAt).toISOString() } },
    ]);
  }

  /** From now on shows a pairing code, once there is one, and no QR codes. */
  expectCode(): void {
    this.#endPause();
    this.#mode = 'pairing-code';
    this.#givesUpAt = Date.now() + this.#patienceMs;
    this.#forgetCode();
    this.withdraw();
  }

  showCode(code: string, phone: string, expiresAt: number, onExpired: () => void): void {
    this.#code = { expiresAt, onExpired };
    this.#endCodeAt(expiresAt);
    this.#isShowing = true;
    this.#outbox.run(() => this.#offers.putPairingCode(this.#fence, { code, phone, expiresAt }));
    const payload = { code, phone, expiresAt: new Date(expiresAt).toISOString() };
    this.#outbox.publish([{ event: 'auth.pairing-code', payload }]);
  }

  /** A code was typed into the phone: the link has the time that it takes, even if the code expires meanwhile. */
  codeEntered(): void {
    if (this.#code !== undefined)
      this.#endCodeAt(Math.max(this.#code.expiresAt, Date.now() + this.#linkAfterCodeMs));
  }

  /** It was not the code that is shown, which can still be typed until it expires. */
  codeRefused(): void {
    if (this.#code !== undefined) this.#endCodeAt(this.#code.expiresAt);
  }

  /**
   * The link goes on by passkey: shows no codes, and does not count the time. Ends with the next request for a code, or the
   * next call of another method that changes what is shown.
   */
  pause(): void {
    if (this.#pausedAt !== undefined) return;
    this.#pausedAt = Date.now();
    this.#endPasskeyLink();
    this.#forgetCode();
    this.connectionEnded();
  }

  /** Returns to QR codes, beginning with the next one. */
  offerQr(): void {
    this.#endPause();
    this.#mode = 'qr';
    this.#forgetCode();
    this.withdraw();
  }

  /**
   * Returns to QR codes: to the last one if it has not expired, otherwise to the next.
   * @returns whether a QR code is shown now.
   */
  offerQrAgain(): boolean {
    this.offerQr();
    const last = this.#lastQr;
    if (last === undefined || last.expiresAt <= Date.now()) return false;
    this.showQr(last.qr, last.expiresAt);
    return true;
  }

  /** Removes a code that a phone can no longer use. */
  withdraw(): void {
    if (!this.#isShowing) return;
    this.#isShowing = false;
    this.#outbox.run(() => this.#offers.clear(this.#fence));
  }

  /** The shown code is invalid, since its connection has ended. */
  connectionEnded(): void {
    this.#lastQr = undefined;
    this.withdraw();
  }

  /** The phone has linked the session: nothing more is shown. The holder of a helper link can see that for a while. */
  linked(): void {
    if (this.#pausedAt !== undefined) {
      this.#pausedAt = undefined;
      this.#outbox.run(() => this.#passkeyLinks.endWithin(this.#fence, LINKED_KNOWN_MS));
    }
    this.close();
  }

  /** Shows nothing more: the session is linked, or ends. */
  close(): void {
    this.#lastQr = undefined;
    this.offerQr();
  }

  #endPause(): void {
    if (this.#pausedAt === undefined) return;
    this.#givesUpAt += Date.now() - this.#pausedAt;
    this.#pausedAt = undefined;
    this.#endPasskeyLink();
  }

  #endPasskeyLink(): void {
    this.#outbox.run(() => this.#passkeyLinks.end(this.#fence));
  }

  #endCodeAt(at: number): void {
    clearTimeout(this.#codeTimer);
    this.#codeExpiresAt = at;
    this.#codeTimer = setTimeout(() => {
      const onExpired = this.#code?.onExpired;
      this.offerQr();
      onExpired?.();
    }, at - Date.now());
  }

  #forgetCode(): void {
    clearTimeout(this.#codeTimer);
    this.#codeExpiresAt = undefined;
    this.#code = undefined;
  }
}
