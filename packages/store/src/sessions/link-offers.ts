import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { FencedScript } from '../redis/script.js';
import type { Fence, SessionRef } from '../redis/session-ref.js';

/** A QR code that a phone can scan now. */
export interface QrOffer {
  /** The text to draw. It contains a secret of the session: show it only to the session's owner. */
  readonly qr: string;
  /** When WhatsApp stops accepting it, ms since 1970. */
  readonly expiresAt: number;
}

/** A pairing code that a person can type into a phone now. */
export interface PairingOffer {
  /** The code. It contains a secret of the session: show it only to the session's owner. */
  readonly code: string;
  /** The number of the phone to link, digits only. */
  readonly phone: string;
  /** When WhatsApp stops accepting it, ms since 1970. */
  readonly expiresAt: number;
}

/** The last millisecond that a Date can hold. */
const LAST_INSTANT = 8.64e15;

/** Returns undefined if the text is missing or is not a time, ms since 1970, that a Date can hold. */
function instantOf(text: string | null | undefined): number | undefined {
  const instant = text == null || text === '' ? Number.NaN : Number(text);
  return instant >= 0 && instant <= LAST_INSTANT ? instant : undefined;
}

const putOffer = new FencedScript('sessions/put-offer', asNumber);
const deleteKeys = new FencedScript('redis/delete-keys', asNumber);

/** The QR codes and pairing codes by which sessions can be linked. They expire in Redis, so they are never stale. */
export class LinkOffers {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Shows a QR code, and replaces any earlier code. @throws {FencedError} */
  async putQr(fence: Fence, { qr, expiresAt }: QrOffer): Promise<void> {
    await this.#put(fence, [keys.qr(fence), keys.pairingCode(fence)], expiresAt, { qr });
  }

  /** Shows a pairing code, and replaces any earlier code. @throws {FencedError} */
  async putPairingCode(fence: Fence, { code, phone, expiresAt }: PairingOffer): Promise<void> {
    await this.#put(fence, [keys.pairingCode(fence), keys.qr(fence)], expiresAt, { code, phone });
  }

  /** Removes the code on show, if any. @throws {FencedError} */
  async clear(fence: Fence): Promise<void> {
    const shown = [keys.qr(fence), keys.pairingCode(fence)];
    await deleteKeys.run(this.#redis, keys.owner(fence), fence, shown, []);
  }

  /** The QR code on show. Undefined if there is none. */
  async getQr(ref: SessionRef): Promise<QrOffer | undefined> {
    const [qr, expiresAt] = await this.#redis.hmget(keys.qr(ref), 'qr', 'expiresAt');
    const expires = instantOf(expiresAt);
    return qr == null || expires === undefined ? undefined : { qr, expiresAt: expires };
  }

  /** The pairing code on show. Undefined if there is none. */
  async getPairingCode(ref: SessionRef): Promise<PairingOffer | undefined> {
    const { code, phone, expiresAt } = await this.#redis.hgetall(keys.pairingCode(ref));
    const expires = instantOf(expiresAt);
    if (code === undefined || phone === undefined || expires === undefined) return undefined;
    return { code, phone, expiresAt: expires };
  }

  async #put(
    fence: Fence,
    shownAndNot: readonly [string, string],
    expiresAt: number,
    fields: Readonly<Record<string, string>>,
  ): Promise<void> {
    const lifeMs = Math.ceil(expiresAt - Date.now());
    if (lifeMs <= 0) return this.clear(fence);
    const written = Object.entries({ ...fields, expiresAt: Math.round(expiresAt) }).flat();
    await putOffer.run(this.#redis, keys.owner(fence), fence, shownAndNot, [lifeMs, ...written]);
  }
}
