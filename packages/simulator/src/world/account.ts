import type { KeyPair } from '@whiskeysockets/baileys';
import { S_WHATSAPP_NET } from '@whiskeysockets/baileys';
import { PhoneSignal } from '../signal/phone-signal.js';
import { Companion, type PairedDevice } from './companion.js';
import { lidUserOf } from './lid.js';

/** A linked device of an account. */
export type Device = Companion<Account>;

/** How a person is known to others. */
export interface AccountDetails {
  /** Digits with the country code, such as `15551230001`. */
  readonly number: string;
  /** The name that others see (the push name). */
  readonly name: string;
  /** The name by which others can find the person. */
  readonly username?: string;
  /**
   * Hides the number from others: the person has only a LID, and a username if one is given. The control API still
   * refers to the person by the number. Such a person has no linked devices.
   */
  readonly hidesNumber?: boolean;
}

/**
 * A person's WhatsApp account, as the features know it: its names, its keys, its linked devices and its privacy. What a
 * feature adds for each account, such as an inbox, is in a `PerAccount` of that feature.
 */
export class Account {
  readonly number: string;
  /** The user part of the LID, the id that hides the number. */
  readonly lidUser: string;
  /** The phone's name in `pair-success`. */
  readonly platform = 'android';
  readonly devices = new Map<number, Device>();
  /** The devices that have requested this account's device list. They are notified of changes. */
  readonly deviceListReaders = new Set<Device>();
  /** The keys and sessions of the phone itself. */
  readonly signal: PhoneSignal;
  readonly hidesNumber: boolean;
  name: string;
  username: string | undefined;
  /** The text below the name in the profile. */
  about = 'Hey there! I am using WhatsApp.';
  /** When the about text was set, seconds since 1970; 0 if it never was. */
  aboutSetAt = 0;
  /** After how many seconds messages of new chats disappear, 0: never; and when that was set. */
  disappearingMode = { duration: 0, setAt: 0 };
  /** The account's privacy settings, by category. */
  readonly privacy = new Map([
    ['readreceipts', 'all'],
    ['last', 'all'],
    ['online', 'all'],
    ['profile', 'all'],
    ['status', 'all'],
    ['groupadd', 'all'],
    ['calladd', 'all'],
    ['messages', 'all'],
  ]);
  readonly blocked = new Set<Account>();
  /** The tokens of trust that others gave the account. */
  readonly privacyTokens = new Map<Account, Buffer>();
  #nextDeviceId = 1;

  constructor({ number, name, username, hidesNumber }: AccountDetails) {
    this.number = number;
    this.name = name;
    this.username = username;
    this.hidesNumber = hidesNumber ?? false;
    this.lidUser = lidUserOf(number);
    this.signal = new PhoneSignal(number);
  }

  /** `number@s.whatsapp.net`, or the LID if the number is hidden. */
  get jid(): string {
    return this.hidesNumber ? this.lid : `${this.number}${S_WHATSAPP_NET}`;
  }

  /** `…@lid` */
  get lid(): string {
    return `${this.lidUser}@lid`;
  }

  get identity(): KeyPair {
    return this.signal.identity;
  }

  /** The visible attributes of the person in stanzas, in addition to the LID: `<prefix>_pn`, `<prefix>_username`. */
  beside(prefix: string): Record<string, string> {
    return {
      ...(this.hidesNumber ? {} : { [`${prefix}_pn`]: this.jid }),
      ...(this.username === undefined ? {} : { [`${prefix}_username`]: this.username }),
    };
  }

  /** The attributes of the person as a member of a group, or as an applicant. */
  get memberAttrs(): Record<string, string> {
    return {
      jid: this.lid,
      ...(this.hidesNumber ? {} : { phone_number: this.jid }),
      ...(this.username === undefined ? {} : { username: this.username }),
    };
  }

  /** Whether people who are not among the contacts may add the person to groups. */
  get letsOthersAdd(): boolean {
    return this.privacy.get('groupadd') === 'all';
  }

  /** The next free id for a companion. Ids are never reused. */
  reserveDeviceId(): { id: number; keyIndex: number } {
    const id = this.#nextDeviceId;
    this.#nextDeviceId += 1;
    return { id, keyIndex: id };
  }

  /** Adds a companion to the account. Used by pairing. */
  addDevice(paired: PairedDevice): Device {
    const device = new Companion<Account>(this, paired);
    this.devices.set(device.id, device);
    return device;
  }

  /** Unlinks one device, or all of them. They are closed with 401 and cannot log in again. */
  unlink(device?: Device): void {
    for (const each of device ? [device] : [...this.devices.values()]) {
      this.devices.delete(each.id);
      each.close('device-removed');
      this.announce('remove', each);
    }
  }

  /** Notifies all devices that know the account's device list of a change: `notification type=devices`. */
  announce(change: 'add' | 'remove', { id, jid, lid }: Pick<Device, 'id' | 'jid' | 'lid'>): void {
    const keyIndex = change === 'add' ? { 'key-index': String(id) } : undefined;
    const devices = [jid, lid].map((each) => ({ tag: 'device', attrs: { jid: each, ...keyIndex } }));
    for (const reader of this.deviceListReaders) {
      if (reader.phone.devices.get(reader.id) !== reader) this.deviceListReaders.delete(reader);
      else if (reader.jid !== jid) {
        reader.notify('devices', [{ tag: change, attrs: {}, content: devices }], {
          from: this.jid,
          lid: this.lid,
        });
      }
    }
  }
}
