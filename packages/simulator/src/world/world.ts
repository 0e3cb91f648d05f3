import { jidDecode } from '@whiskeysockets/baileys';
import type { Account, Device } from './account.js';
import type { GroupChat } from './chat.js';

/** Everything that the server knows, indexed by name. `Person` is the class of the accounts that are added. */
export class World<Person extends Account = Account> {
  readonly #byNumber = new Map<string, Person>();
  readonly #byLid = new Map<string, Person>();
  readonly groups = new Map<string, GroupChat>();
  #nextNumber = 15550000001;

  add(phone: Person): void {
    if (this.#byNumber.has(phone.number)) throw new Error(`there is a phone with number ${phone.number}`);
    this.#byNumber.set(phone.number, phone);
    this.#byLid.set(phone.lidUser, phone);
  }

  phones(): IterableIterator<Person> {
    return this.#byNumber.values();
  }

  phoneByNumber(number: string): Person | undefined {
    return this.#byNumber.get(number);
  }

  /** The person behind a user's or a device's JID, PN or LID. */
  phone(jid: string): Person | undefined {
    const decoded = jidDecode(jid);
    if (!decoded) return undefined;
    if (decoded.server === 'lid') return this.#byLid.get(decoded.user);
    return decoded.server === 's.whatsapp.net' || decoded.server === 'c.us'
      ? this.phoneByPublicNumber(decoded.user)
      : undefined;
  }

  /** The person with this number, unless it is hidden. */
  phoneByPublicNumber(number: string): Person | undefined {
    const phone = this.#byNumber.get(number);
    return phone?.hidesNumber ? undefined : phone;
  }

  phoneByUsername(username: string): Person | undefined {
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
