import {
  type BinaryNode,
  buildPairingQRData,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  S_WHATSAPP_NET,
  type WABrowserDescription,
  type WASocket,
} from '@whiskeysockets/baileys';

const PAIR_DEVICE = 'CB:iq,type:set,pair-device';

/** How long WhatsApp accepts the first QR code of a round, and each one after it (Baileys, Socket/socket.js). */
const FIRST_QR_MS = 60_000;
const LATER_QR_MS = 20_000;

interface QrRoundOptions {
  /** What the client has said of itself when it connected. */
  readonly browser: WABrowserDescription;
  /** How long each code lives. Default: as long as WhatsApp accepts it. */
  readonly lifeMs: number | undefined;
  /** All codes were shown and none was scanned: nothing more can be done with the connection. */
  readonly onUsedUp: () => void;
}

/**
 * The QR codes that WhatsApp grants to one connection. They are shown one after the other, as `connection.update`, in
 * place of Baileys, whose own timer cannot be stopped: it goes on after a scan, and ends the connection with the last
 * code. A phone that demands a passkey needs up to ten minutes more. Also, Baileys shows codes with the secret of the
 * moment at which WhatsApp granted them, whatever the secret is by then.
 *
 * Removal condition: Baileys stops showing QR codes when WhatsApp asks for a passkey (docs/upstream.md, 33).
 */
export class QrRound {
  readonly #socket: WASocket;
  readonly #options: QrRoundOptions;
  #refs: string[] = [];
  #endsAt = 0;
  #codeExpiresAt = 0;
  #heldUntil = 0;
  #isUsedUp = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: WASocket, options: QrRoundOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.ws.removeAllListeners(PAIR_DEVICE);
    socket.ws.on(PAIR_DEVICE, (stanza: BinaryNode) => void this.#begin(stanza));
    socket.registerSocketEndHandler(() => this.stop());
  }

  /** When the last code of the round expires, and the connection with it, ms since 1970; 0 before the first one. */
  get endsAt(): number {
    return this.#endsAt;
  }

  /** When the code that was just shown expires, ms since 1970. */
  get codeExpiresAt(): number {
    return this.#codeExpiresAt;
  }

  /**
   * Keeps the connection for this time at least, ms, even if the codes are used up before: a phone links the client by a
   * pairing code.
   */
  hold(milliseconds: number): void {
    this.#heldUntil = Date.now() + milliseconds;
  }

  /** Ends `hold`. If the codes were used up meanwhile, the connection ends now. */
  release(): void {
    this.#heldUntil = 0;
    if (this.#isUsedUp) this.#endRound();
  }

  /**
   * Shows no more codes, since WhatsApp has linked the client: it ends the connection itself, so that the client logs in.
   * If it does not, this side ends it after this time, ms.
   */
  finish(milliseconds: number): void {
    this.stop();
    this.hold(milliseconds);
    this.#endRound();
  }

  /** Shows no more codes. The connection stays, as long as WhatsApp keeps it. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#refs = [];
    this.#isUsedUp = false;
  }

  async #begin(stanza: BinaryNode): Promise<void> {
    const { id = '' } = stanza.attrs;
    const refs = getBinaryNodeChildren(getBinaryNodeChild(stanza, 'pair-device'), 'ref');
    this.stop();
    this.#refs = refs.map((ref) => textOf(ref));
    const laterMs = Math.max(0, refs.length - 1) * this.#lifeMs(false);
    this.#endsAt = Date.now() + this.#lifeMs(true) + laterMs;
    try {
      await this.#socket.sendNode({ tag: 'iq', attrs: { to: S_WHATSAPP_NET, type: 'result', id } });
    } catch {
      // The connection is closed, which is reported by itself.
      return;
    }
    this.#showNext(true);
  }

  #showNext(isFirst: boolean): void {
    const { ws, ev, authState } = this.#socket;
    if (!ws.isOpen) return;
    const ref = this.#refs.shift();
    if (ref === undefined) {
      this.#endRound();
      return;
    }
    const { noiseKey, signedIdentityKey, advSecretKey } = authState.creds;
    const qr = buildPairingQRData(
      ref,
      Buffer.from(noiseKey.public).toString('base64'),
      Buffer.from(signedIdentityKey.public).toString('base64'),
      advSecretKey,
      this.#options.browser,
    );
    const lifeMs = this.#lifeMs(isFirst);
    this.#codeExpiresAt = Date.now() + lifeMs;
    this.#timer = setTimeout(() => this.#showNext(false), lifeMs);
    ev.emit('connection.update', { qr });
  }

  #endRound(): void {
    clearTimeout(this.#timer);
    this.#isUsedUp = true;
    const heldMs = this.#heldUntil - Date.now();
    if (heldMs > 0) this.#timer = setTimeout(() => this.#endRound(), heldMs);
    else this.#options.onUsedUp();
  }

  #lifeMs(isFirst: boolean): number {
    return this.#options.lifeMs ?? (isFirst ? FIRST_QR_MS : LATER_QR_MS);
  }
}

function textOf({ content }: BinaryNode): string {
  return typeof content === 'string' || content instanceof Uint8Array ? Buffer.from(content).toString() : '';
}
