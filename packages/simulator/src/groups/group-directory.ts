import { randomInt } from 'node:crypto';
import type { Phone } from '../world/phone.js';
import type { World } from '../world/world.js';
import { Group, GroupError } from './group.js';

/** All groups of a simulator, found by JID, by invite code or by member. */
export class GroupDirectory {
  readonly #world: World;
  readonly #groups = new Map<string, Group>();
  readonly #memberships = new Map<Phone, Set<Group>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Creates a group and notifies all of its members' devices. */
  create(creator: Phone, subject: string, members: readonly Phone[]): Group {
    const id = `120363${randomInt(10 ** 6, 10 ** 7)}${randomInt(10 ** 5, 10 ** 6)}`;
    const group = new Group(id, creator, subject, (changed, phone, joined) => {
      if (joined) this.#groupsOf(phone).add(changed);
      else this.#groupsOf(phone).delete(changed);
    });
    this.#groups.set(group.jid, group);
    this.#world.groups.set(group.jid, group);
    group.announceCreation(
      creator,
      members.filter((member) => member !== creator),
    );
    return group;
  }

  find(jid: string): Group | undefined {
    return this.#groups.get(jid);
  }

  /** @throws GroupError 404. */
  require(jid: string): Group {
    const group = this.#groups.get(jid);
    if (!group) throw new GroupError(404, 'item-not-found');
    return group;
  }

  /** @throws GroupError 406 if no group has this code, or if the code was revoked. */
  byInviteCode(code: string): Group {
    for (const group of this.#groups.values()) if (group.inviteCode === code) return group;
    throw new GroupError(406, 'not-acceptable');
  }

  /** The groups that a person is a member of. */
  of(phone: Phone): readonly Group[] {
    return [...(this.#memberships.get(phone) ?? [])];
  }

  #groupsOf(phone: Phone): Set<Group> {
    const groups = this.#memberships.get(phone) ?? new Set<Group>();
    this.#memberships.set(phone, groups);
    return groups;
  }
}
