import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Group } from '../groups/group.js';
import type { MediaStore } from '../media/media-store.js';
import { isPerson } from '../world/chat.js';
import type { Phone } from '../world/phone.js';

/** The picture of a person or a group. */
export interface Picture {
  /** Number of the picture among those of its owner. */
  readonly id: string;
  /** The path at which the media host serves it, unencrypted. */
  readonly path: string;
}

/** The pictures of people and groups. A change is sent to all who know the person, or to all members of the group. */
export class Pictures {
  readonly #media: MediaStore;
  readonly #pictures = new Map<Phone | Group, Picture>();
  readonly #counts = new Map<Phone | Group, number>();

  constructor(media: MediaStore) {
    this.#media = media;
  }

  of(owner: Phone | Group): Picture | undefined {
    return this.#pictures.get(owner);
  }

  /** @param by the person who sets it: the owner, or a member of the group. */
  set(owner: Phone | Group, image: Uint8Array, by: Phone): Picture {
    const count = (this.#counts.get(owner) ?? 0) + 1;
    const picture = { id: String(count), path: this.#media.put(Buffer.from(image)) };
    this.#counts.set(owner, count);
    this.#pictures.set(owner, picture);
    tell(owner, by, { tag: 'set', attrs: { jid: jidOf(owner), id: picture.id, author: by.lid } });
    return picture;
  }

  remove(owner: Phone | Group, by: Phone): void {
    if (!this.#pictures.delete(owner)) return;
    tell(owner, by, { tag: 'delete', attrs: { jid: jidOf(owner), author: by.lid } });
  }
}

function tell(owner: Phone | Group, by: Phone, change: BinaryNode): void {
  const viewers = isPerson(owner) ? acquaintances(owner) : owner.members();
  for (const viewer of viewers) {
    for (const device of viewer.devices.values()) device.notify('picture', [change], { from: jidOf(owner) });
  }
  if (isPerson(owner)) {
    for (const device of by.devices.values()) device.notify('picture', [change], { from: jidOf(owner) });
  }
}

/** The people whose linked devices the person has exchanged messages with, or who share a group with the person. */
function acquaintances(phone: Phone): Set<Phone> {
  const { simulator, signal } = phone;
  const known = new Set<Phone>();
  for (const other of simulator.world.phones()) {
    if (other === phone) continue;
    for (const device of other.devices.values()) if (signal.hasSession(device.jid)) known.add(other);
  }
  for (const group of simulator.groups.of(phone)) {
    for (const member of group.members()) if (member !== phone) known.add(member);
  }
  return known;
}

function jidOf(owner: Phone | Group): string {
  return isPerson(owner) ? owner.lid : owner.jid;
}
