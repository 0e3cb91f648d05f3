import type { BinaryNode } from '@whiskeysockets/baileys';
import { unixSeconds } from '../unix-seconds.js';
import type { Account, Device } from '../world/account.js';

/** A person's presence, as others see it. */
export interface Presence {
  readonly type: 'available' | 'unavailable';
  /** When the person was last seen, in seconds since 1970; `deny` hides it. Only with `unavailable`. */
  readonly lastSeen?: number | 'deny';
}

const unseen: Presence = { type: 'unavailable', lastSeen: 'deny' };

/**
 * Holds who is available, and which devices subscribe to it. A subscription lasts as long as the connection that made
 * it. The person is named in the form (LID or PN) in which the device has asked.
 */
export class PresenceBoard {
  readonly #presences = new WeakMap<Account, Presence>();
  readonly #subscribers = new WeakMap<Account, Map<Device, string>>();
  readonly #subscriptions = new WeakMap<Device, Set<Account>>();

  of(phone: Account): Presence {
    return this.#presences.get(phone) ?? unseen;
  }

  /** Notifies the person's subscribers at once. */
  set(phone: Account, presence: Presence): void {
    this.#presences.set(phone, presence);
    for (const [device, jid] of this.#subscribers.get(phone) ?? []) device.send(presenceNode(jid, presence));
  }

  /** Sends the person's presence to the device now and at each change. */
  subscribe(device: Device, phone: Account, jid: string): void {
    const subscribers = this.#subscribers.get(phone) ?? new Map<Device, string>();
    this.#subscribers.set(phone, subscribers.set(device, jid));
    const subscriptions = this.#subscriptions.get(device) ?? new Set<Account>();
    this.#subscriptions.set(device, subscriptions.add(phone));
    device.send(presenceNode(jid, this.of(phone)));
  }

  /** The device's connection is closed: ends its subscriptions. Its owner may become unavailable. */
  leave(device: Device): void {
    const { phone } = device;
    const wasAvailable = device.available;
    device.available = false;
    for (const phone of this.#subscriptions.get(device) ?? []) this.#subscribers.get(phone)?.delete(device);
    this.#subscriptions.delete(device);
    if (wasAvailable) this.follow(phone);
  }

  /** The owner of some devices is available as long as one of them is. */
  follow(phone: Account): void {
    const available = [...phone.devices.values()].some((device) => device.available);
    this.set(phone, available ? { type: 'available' } : { type: 'unavailable', lastSeen: unixSeconds() });
  }
}

function presenceNode(from: string, { type, lastSeen }: Presence): BinaryNode {
  if (type === 'available') return { tag: 'presence', attrs: { from } };
  return { tag: 'presence', attrs: { from, type, last: String(lastSeen ?? 'deny') } };
}
