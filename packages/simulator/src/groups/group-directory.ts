import { randomInt } from 'node:crypto';
import type { Account } from '../world/account.js';
import type { World } from '../world/world.js';
import { Group, type Memberships } from './group.js';
import { GroupError } from './group-error.js';
import type { GroupPlace } from './group-metadata.js';

/** All groups of a simulator, found by JID, by invite code or by member. `Person` is the class of the members. */
export class GroupDirectory<Person extends Account = Account> {
  readonly #world: World;
  readonly #groups = new Map<string, Group<Person>>();
  readonly #memberships = new Map<Person, Set<Group<Person>>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Creates a group and notifies all of its members' devices. */
  create(
    creator: Person,
    subject: string,
    members: readonly Person[],
    place: Partial<GroupPlace> = {},
  ): Group<Person> {
    const id = `120363${randomInt(10 ** 6, 10 ** 7)}${randomInt(10 ** 5, 10 ** 6)}`;
    const memberships: Memberships<Person> = {
      changed: (changed, person, joined) => {
        if (joined) this.#groupsOf(person).add(changed);
        else this.#groupsOf(person).delete(changed);
      },
    };
    const group = new Group<Person>(id, creator, subject, { memberships, place });
    this.#groups.set(group.jid, group);
    this.#world.groups.set(group.jid, group);
    group.announceCreation(
      creator,
      members.filter((member) => member !== creator),
    );
    return group;
  }

  all(): readonly Group<Person>[] {
    return [...this.#groups.values()];
  }

  find(jid: string): Group<Person> | undefined {
    return this.#groups.get(jid);
  }

  /** @throws GroupError 404. */
  require(jid: string): Group<Person> {
    const group = this.#groups.get(jid);
    if (!group) throw new GroupError(404, 'item-not-found');
    return group;
  }

  /** @throws GroupError 406 if no group has this code, or if the code was revoked. */
  byInviteCode(code: string): Group<Person> {
    for (const group of this.#groups.values()) if (group.inviteCode === code) return group;
    throw new GroupError(406, 'not-acceptable');
  }

  /** The groups that a person is a member of. */
  of(phone: Person): readonly Group<Person>[] {
    return [...(this.#memberships.get(phone) ?? [])];
  }

  #groupsOf(phone: Person): Set<Group<Person>> {
    const groups = this.#memberships.get(phone) ?? new Set<Group<Person>>();
    this.#memberships.set(phone, groups);
    return groups;
  }
}
