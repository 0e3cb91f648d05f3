import type { Account } from '../world/account.js';
import type { Group } from './group.js';
import type { GroupDirectory } from './group-directory.js';
import { GroupError } from './group-error.js';

/** The communities of a simulator: groups that other groups are linked to. */
export class Communities<Person extends Account = Account> {
  readonly #groups: GroupDirectory<Person>;

  constructor(groups: GroupDirectory<Person>) {
    this.#groups = groups;
  }

  /** Creates a community with its group for announcements. */
  create(creator: Person, subject: string, description = ''): Group<Person> {
    const community = this.#groups.create(creator, subject, [], { isCommunity: true });
    if (description !== '') community.setDescription(creator, description);
    const announcements = { isAnnouncements: true, parent: community.jid };
    this.#groups.create(creator, subject, [], announcements).configure(creator, { announce: true });
    return community;
  }

  /** Creates a group of the community. @throws GroupError 403 unless `creator` is an admin of the community. */
  createGroup(
    community: Group<Person>,
    creator: Person,
    subject: string,
    members: readonly Person[],
  ): Group<Person> {
    requireCommunity(community);
    community.requireAdmin(creator);
    return this.#groups.create(creator, subject, members, { parent: community.jid });
  }

  /** @throws GroupError 403 unless `by` is an admin of both; 406 for a community, 409 for a group that is linked. */
  link(by: Person, community: Group<Person>, group: Group<Person>): void {
    requireCommunity(community);
    community.requireAdmin(by);
    group.requireAdmin(by);
    if (group.place.isCommunity) throw new GroupError(406, 'not-acceptable');
    if (group.place.parent !== undefined) throw new GroupError(409, 'conflict');
    group.move(by, community.jid);
  }

  /** @throws GroupError 403 unless `by` is an admin of the community; 404 for a group that is not linked to it. */
  unlink(by: Person, community: Group<Person>, group: Group<Person>): void {
    requireCommunity(community);
    community.requireAdmin(by);
    if (group.place.parent !== community.jid) throw new GroupError(404, 'item-not-found');
    group.move(by, undefined);
  }

  /** The groups of a community, for those who are in it or in one of them. @throws GroupError 403. */
  groupsOf(community: Group<Person>, reader: Person): readonly Group<Person>[] {
    requireCommunity(community);
    const linked = this.#groups.all().filter(({ place }) => place.parent === community.jid);
    if (![community, ...linked].some((group) => group.has(reader))) throw new GroupError(403, 'forbidden');
    return linked;
  }
}

function requireCommunity({ place }: Group): void {
  if (!place.isCommunity) throw new GroupError(404, 'item-not-found');
}
