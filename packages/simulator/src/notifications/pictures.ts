import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Group } from '../groups/group.js';
import type { GroupDirectory } from '../groups/group-directory.js';
import type { MediaStore } from '../media/media-store.js';
import type { Account } from '../world/account.js';
import { isPerson } from '../world/chat.js';
import type { World } from '../world/world.js';

/** The picture of a person or a group. */
export interface Picture {
  /** Number of the picture among those of its owner. */
  readonly id: string;
  /** The path at which the media host serves it, unencrypted. */
  readonly path: string;
}

/** What the pictures use of the simulator. */
export interface PicturesContext {
  readonly world: World;
  readonly groups: GroupDirectory;
  readonly media: MediaStore;
}

/** The pictures of people and groups. A change is sent to all who know the person, or to all members of the group. */
export class Pictures {
  readonly #simulator: PicturesContext;
  readonly #pictures = new Map<Account | Group, Picture>();
  readonly #counts = new Map<Account | Group, number>();

  constructor(simulator: PicturesContext) {
    this.#simulator = simulator;
  }

  of(owner: Account | Group): Picture | undefined {
    return this.#pictures.get(owner);
  }

  /** @param by the person who sets it: the owner, or a member of the group. */
  set(owner: Account | Group, image: Uint8Array, by: Account): Picture {
    const count = (this.#counts.get(owner) ?? 0) + 1;
    const picture = { id: String(count), path: this.#simulator.media.put(Buffer.from(image)) };
    this.#counts.set(owner, count);
    this.#pictures.set(owner, picture);
    this.#notify(owner, by, { tag: 'set', attrs: { jid: jidOf(owner), id: picture.id, author: by.lid } });
    return picture;
  }

  remove(owner: Account | Group, by: Account): void {
    if (!this.#pictures.delete(owner)) return;
    this.#notify(owner, by, { tag: 'delete', attrs: { jid: jidOf(owner), author: by.lid } });
  }

  #notify(owner: Account | Group, by: Account, change: BinaryNode): void {
    const viewers = isPerson(owner) ? this.#acquaintances(owner) : owner.members();
    for (const viewer of viewers) {
      for (const device of viewer.devices.values())
        device.notify('picture', [change], { from: jidOf(owner) });
    }
    if (isPerson(owner)) {
      for (const device of by.devices.values()) device.notify('picture', [change], { from: jidOf(owner) });
    }
  }

  /** The people whose linked devices the person has exchanged messages with, or who share a group with the person. */
  #acquaintances(phone: Account): Set<Account> {
    const { world, groups } = this.#simulator;
    const known = new Set<Account>();
    for (const other of world.phones()) {
      if (other === phone) continue;
      for (const device of other.devices.values()) if (phone.signal.hasSession(device.jid)) known.add(other);
    }
    for (const group of groups.of(phone)) {
      for (const member of group.members()) if (member !== phone) known.add(member);
    }
    return known;
  }
}

function jidOf(owner: Account | Group): string {
  return isPerson(owner) ? owner.lid : owner.jid;
}
