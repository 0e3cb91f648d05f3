import type { RedisConnection } from './connection.js';
import { keys } from './keyspace.js';
import { asNumber } from './reply.js';
import { FencedScript } from './script.js';
import type { Fence, SessionRef } from './session-ref.js';

/** A QR code that a phone can scan now. */
export interface QrOffer {
  /** The text to draw. It holds a secret of the session: for its owner's eyes only. */
  readonly qr: string;
  /** When WhatsApp stops accepting it, ms since 1970. */
  readonly expiresAt: number;
}

const putQr = new FencedScript('put-qr', asNumber);
const deleteKeys = new FencedScript('delete-keys', asNumber);

/** What sessions show to be linked by. An offer disappears from Redis when it expires: none is ever stale. */
export class LinkOffers {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Shows a QR code in place of the one before. @throws {FencedError} */
  async putQr(fence: Fence, { qr, expiresAt }: QrOffer): Promise<void> {
    const lifeMs = Math.max(1, Math.ceil(expiresAt - Date.now()));
    await putQr.run(
      this.#redis,
      keys.owner(fence),
      fence,
      [keys.qr(fence)],
      [qr, Math.round(expiresAt), lifeMs],
    );
  }

  /** Takes the QR code away, if there is one. @throws {FencedError} */
  async clear(fence: Fence): Promise<void> {
    await deleteKeys.run(this.#redis, keys.owner(fence), fence, [keys.qr(fence)], []);
  }

  /** The QR code on show; undefined when there is none. */
  async getQr(ref: SessionRef): Promise<QrOffer | undefined> {
    const [qr, expiresAt] = await this.#redis.hmget(keys.qr(ref), 'qr', 'expiresAt');
    return qr == null || expiresAt == null ? undefined : { qr, expiresAt: Number(expiresAt) };
  }
}
