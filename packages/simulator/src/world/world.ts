import { createHash } from 'node:crypto';
import { jidDecode } from '@whiskeysockets/baileys';
import type { GroupChat } from './chat.js';
import type { Device } from './device.js';
import type { Phone } from './phone.js';

/** Everything that the server knows, indexed by name. */
export class World {
  readonly #byNumber = new Map<string, Phone>();
  readonly #byLid = new Map<string, Phone>();
  readonly groups = new Map<string, GroupChat>();
  #nextNumber = 15550000001;

  add(phone: Phone): void {
    if (this.#byNumber.has(phone.number)) throw new Error(`there is a phone with number ${phone.number}`);
    this.#byNumber.set(phone.number, phone);
    this.#byLid.set(phone.lidUser, phone);
  }

  phones(): IterableIterator<Phone> {
    return this.#byNumber.values();
  }

  phoneByNumber(number: string): Phone | undefined {
    return this.#byNumber.get(number);
  }

  /** The person behind a user's or a device's JID, PN or LID. */
  phone(jid: string): Phone | undefined {
    const decoded = jidDecode(jid);
    if (!decoded) return undefined;
    if (decoded.server === 'lid') return this.#byLid.get(decoded.user);
    return decoded.server === 's.whatsapp.net' || decoded.server === 'c.us'
      ? this.phoneByPublicNumber(decoded.user)
      : undefined;
  }

  /** The person with this number, unless it is hidden. */
  phoneByPublicNumber(number: string): Phone | undefined {
    const phone = this.#byNumber.get(number);
    return phone?.hidesNumber ? undefined : phone;
  }

  phoneByUsername(username: string): Phone | undefined {
    return [...this.#byNumber.values()].find((phone) => phone.username === username);
  }

  /** The companion behind a device's JID; undefined for device 0, which is the phone itself. */
  device(jid: string): Device | undefined {
    const id = jidDecode(jid)?.device;
    return id ? this.phone(jid)?.devices.get(id) : undefined;
  }

  /** A free number. */
  freeNumber(): string {
    while (this.#byNumber.has(String(this.#nextNumber))) this.#nextNumber += 1;
    return String(this.#nextNumber);
  }
}

/** The LID of a number: 15 digits. The same number always has the same LID. */
export function lidOf(number: string): string {
  const hash = createHash('sha256').update(`lid ${number}`).digest().readUIntBE(0, 6);
  return String(100_000_000_000_000 + (hash % 900_000_000_000_000));
}
