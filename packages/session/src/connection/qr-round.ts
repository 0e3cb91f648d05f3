import { type BinaryNode, getAllBinaryNodeChildren, type WASocket } from '@whiskeysockets/baileys';

/** How long WhatsApp accepts the first QR code of a round, and each one after it (Baileys, Socket/socket.js). */
const FIRST_QR_MS = 60_000;
const LATER_QR_MS = 20_000;

/** The QR codes that WhatsApp grants to one connection. They are shown one after the other. */
export class QrRound {
  readonly #lifeMs: number | undefined;
  #shown = 0;
  #endsAt = 0;

  /** @param lifeMs how long each code lives. Default: as long as WhatsApp accepts it. */
  constructor(ws: WASocket['ws'], lifeMs: number | undefined) {
    this.#lifeMs = lifeMs;
    ws.on('CB:iq,type:set,pair-device', (stanza: BinaryNode) => this.#begin(stanza));
  }

  /** When the last code of the round expires, and the connection with it, ms since 1970; 0 before the first one. */
  get endsAt(): number {
    return this.#endsAt;
  }

  /** When the code that was just shown expires, ms since 1970. */
  get codeExpiresAt(): number {
    return Date.now() + this.#codeLifeMs(this.#shown === 1);
  }

  /** Baileys has emitted the next code. */
  codeShown(): void {
    this.#shown += 1;
  }

  #begin(stanza: BinaryNode): void {
    const pairDevice = getAllBinaryNodeChildren(stanza).find(({ tag }) => tag === 'pair-device');
    const refs = pairDevice === undefined ? [] : getAllBinaryNodeChildren(pairDevice);
    const count = refs.filter(({ tag }) => tag === 'ref').length;
    const laterMs = Math.max(0, count - 1) * this.#codeLifeMs(false);
    this.#endsAt = Date.now() + this.#codeLifeMs(true) + laterMs;
  }

  #codeLifeMs(isFirst: boolean): number {
    return this.#lifeMs ?? (isFirst ? FIRST_QR_MS : LATER_QR_MS);
  }
}
