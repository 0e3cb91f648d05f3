import { type BinaryNode, proto } from '@whiskeysockets/baileys';
import type { MessageContent } from '../messages/content.js';
import { createMessageId } from '../messages/message-id.js';
import type { SentMessage } from '../messages/sent-message.js';
import { unixSeconds } from '../unix-seconds.js';
import type { Account } from '../world/account.js';
import type { GroupChat } from '../world/chat.js';
import { Admission, newInviteCode } from './admission.js';
import { GroupError } from './group-error.js';
import type {
  GroupDescription,
  GroupMetadata,
  GroupPlace,
  GroupRole,
  GroupSettings,
} from './group-metadata.js';
import { groupNode, participantNode, settingNodes } from './group-node.js';

/** What a group needs of a member who sets a tag: the tag is sent as a message to the group. */
export interface GroupWriter {
  send(chat: GroupChat, content: MessageContent): Promise<SentMessage>;
}

/** Follows who joins and leaves a group. */
export interface Memberships<Person extends Account> {
  /** Called for each person who joins or leaves. */
  changed(group: Group<Person>, person: Person, joined: boolean): void;
}

/** WhatsApp's bounds. */
const MAX_MEMBERS = 1_024;
const MAX_SUBJECT_CHARACTERS = 100;

/**
 * A group: its members, their roles and its settings. Each change is made by a person (`by`), is checked against that
 * person's rights, and reaches every linked device of every member as a `w:gp2` notification.
 * Members are addressed by LID, as WhatsApp does in all newer groups. `Person` is the class of its members.
 */
export class Group<Person extends Account = Account> implements GroupChat, GroupMetadata {
  /** `<id>@g.us` */
  readonly jid: string;
  readonly id: string;
  readonly creator: Person;
  /** Seconds since 1970. */
  readonly creation: number;
  readonly #roles = new Map<Person, GroupRole>();
  /** People who want to join, and since when, seconds since 1970. */
  readonly #requests = new Map<Person, number>();
  readonly #admission = new Admission<Person>();
  readonly #memberships: Memberships<Person>;
  #subject: { text: string; author: Person; time: number };
  #description: GroupDescription | undefined;
  #settings: GroupSettings = {
    announce: false,
    restrict: false,
    joinApproval: false,
    membersCanAdd: false,
    ephemeralSeconds: 0,
  };
  #place: GroupPlace;
  #inviteCode = newInviteCode();

  /** How often clients have asked for the group's current metadata. */
  queries = 0;

  constructor(
    id: string,
    creator: Person,
    subject: string,
    { memberships, place }: { memberships: Memberships<Person>; place: Partial<GroupPlace> },
  ) {
    this.#place = { isCommunity: false, isAnnouncements: false, parent: undefined, ...place };
    this.id = id;
    this.jid = `${id}@g.us`;
    this.creator = creator;
    this.creation = unixSeconds();
    this.#subject = { text: subject, author: creator, time: this.creation };
    this.#memberships = memberships;
    this.#join(creator, 'superadmin');
  }

  get subject(): string {
    return this.#subject.text;
  }

  get subjectAuthor(): Person {
    return this.#subject.author;
  }

  get subjectTime(): number {
    return this.#subject.time;
  }

  get description(): GroupDescription | undefined {
    return this.#description;
  }

  get settings(): GroupSettings {
    return this.#settings;
  }

  get place(): GroupPlace {
    return this.#place;
  }

  /** Links it to another community, or to none. */
  move(by: Person, parent: string | undefined): void {
    const other = parent ?? this.#place.parent ?? '';
    this.#place = { ...this.#place, parent };
    const type = parent === undefined ? 'unlink' : 'link';
    const content = [{ tag: 'group', attrs: { jid: other } }];
    this.#tell(by, { tag: type, attrs: { [`${type}_type`]: 'parent_group' }, content });
  }

  get inviteCode(): string {
    return this.#inviteCode;
  }

  members(): readonly Person[] {
    return [...this.#roles.keys()];
  }

  /** People who used the invite link and wait for an admin's approval. */
  get joinRequests(): readonly Person[] {
    return [...this.#requests.keys()];
  }

  /** When the person asked to join, seconds since 1970. */
  requestedAt(person: Person): number | undefined {
    return this.#requests.get(person);
  }

  role(phone: Person): GroupRole | undefined {
    return this.#roles.get(phone);
  }

  has(phone: Person): boolean {
    return this.#roles.has(phone);
  }

  /** 403 for people who are not members, and for members without rights while only admins may write. */
  refusal(sender: Person): number | undefined {
    const mayWrite = this.has(sender) && !(this.#settings.announce && this.role(sender) === 'member');
    return mayWrite ? undefined : 403;
  }

  /** Adds the first members and notifies everybody of the new group. Call it once. */
  announceCreation(by: Person, members: readonly Person[]): void {
    for (const member of members) this.#join(member, 'member');
    this.#tell(by, { tag: 'create', attrs: {}, content: [groupNode(this)] });
  }

  /**
   * Adds people. New members are notified of the group by `create`, the others by `add`.
   * @throws GroupError 409 if a person is a member already, 403 if `by` may not add; 403 with an `<add_request>` if the
   * person has to be invited instead; 408 if the person left; 419 if the group is full.
   */
  add(by: Person, people: readonly Person[]): void {
    if (!this.#settings.membersCanAdd) this.requireAdmin(by);
    this.#requireOwnMembership(by);
    for (const phone of people) if (this.has(phone)) throw new GroupError(409, 'conflict');
    for (const phone of people) this.#admission.requireAddable(phone);
    if (this.#roles.size + people.length > MAX_MEMBERS) throw new GroupError(419, 'resource-limit');
    this.#letIn(by, people);
  }

  /** Joins by an invitation for this person alone. @throws GroupError 406 if there is none of this code. */
  acceptInvitation(phone: Person, code: string): void {
    this.#admission.useInvitation(phone, code);
    this.#letIn(phone, [phone], 'invite');
  }

  /** @throws GroupError 404 if a person is not a member, 403 if `by` may not remove. The creator cannot be removed. */
  remove(by: Person, people: readonly Person[]): void {
    this.requireAdmin(by);
    for (const phone of people) {
      this.requireMember(phone);
      if (phone === this.creator && phone !== by) throw new GroupError(403, 'forbidden');
    }
    this.#letOut(by, people);
  }

  leave(phone: Person): void {
    this.#requireOwnMembership(phone);
    this.#letOut(phone, [phone]);
    this.#admission.left(phone);
  }

  promote(by: Person, people: readonly Person[]): void {
    this.#changeRoles(by, people, 'promote', 'admin');
  }

  demote(by: Person, people: readonly Person[]): void {
    for (const phone of people) if (phone === this.creator) throw new GroupError(403, 'forbidden');
    this.#changeRoles(by, people, 'demote', 'member');
  }

  /** @throws GroupError 406 if the text is empty or too long. */
  setSubject(by: Person, text: string): void {
    this.requireEditor(by);
    if (text === '' || text.length > MAX_SUBJECT_CHARACTERS) throw new GroupError(406, 'not-acceptable');
    this.#subject = { text, author: by, time: unixSeconds() };
    this.#tell(by, {
      tag: 'subject',
      attrs: { subject: text, s_t: String(this.#subject.time), s_o: by.lid, ...by.beside('s_o') },
    });
  }

  /** An empty text deletes the description. */
  setDescription(by: Person, text: string, id = createMessageId()): void {
    this.requireEditor(by);
    this.#description = text === '' ? undefined : { id, text, author: by, time: unixSeconds() };
    const content: BinaryNode[] =
      text === ''
        ? [{ tag: 'delete', attrs: {} }]
        : [{ tag: 'body', attrs: {}, content: Buffer.from(text, 'utf-8') }];
    this.#tell(by, { tag: 'description', attrs: { id }, content });
  }

  /** Changes settings. Each change is announced separately. */
  configure(by: Person, change: Partial<GroupSettings>): void {
    this.requireAdmin(by);
    const before = this.#settings;
    this.#settings = { ...before, ...change };
    for (const node of settingNodes(before, this.#settings)) this.#tell(by, node);
  }

  /** Creates a new invite link and revokes the old one. */
  revokeInvite(by: Person): string {
    this.requireAdmin(by);
    this.#inviteCode = newInviteCode();
    this.#tell(by, { tag: 'invite', attrs: { code: this.#inviteCode } });
    return this.#inviteCode;
  }

  /** Joins by the invite link. With `joinApproval` on, the person waits for an admin's approval. */
  joinByInvite(phone: Person): 'joined' | 'requested' {
    if (this.has(phone)) throw new GroupError(409, 'conflict');
    if (!this.#settings.joinApproval) {
      this.#letIn(phone, [phone], 'invite');
      return 'joined';
    }
    this.#requests.set(phone, unixSeconds());
    this.#tell(
      phone,
      {
        tag: 'created_membership_requests',
        attrs: { request_method: 'invite_link' },
        content: [{ tag: 'requested_user', attrs: phone.memberAttrs }],
      },
      this.members().filter((member) => this.role(member) !== 'member'),
    );
    return 'requested';
  }

  /** @throws GroupError 404 if the person has not asked. */
  answerJoinRequest(by: Person, phone: Person, approve: boolean): void {
    this.requireAdmin(by);
    if (!this.#requests.delete(phone)) throw new GroupError(404, 'item-not-found');
    if (approve) {
      this.#letIn(by, [phone]);
      return;
    }
    this.#tell(by, {
      tag: 'revoked_membership_requests',
      attrs: {},
      content: [{ tag: 'participant', attrs: phone.memberAttrs }],
    });
  }

  /** Sets a member's own tag, which the group shows next to the name. It is sent as a message. */
  async tagMember(
    member: Person & GroupWriter,
    label: string,
    labelTimestamp = unixSeconds(),
  ): Promise<SentMessage> {
    this.requireMember(member);
    return member.send(this, {
      protocolMessage: {
        type: proto.Message.ProtocolMessage.Type.GROUP_MEMBER_LABEL_CHANGE,
        memberLabel: { label, labelTimestamp },
      },
    });
  }

  /** The code of the invite link, for those who may see it. @throws GroupError 401, 403. */
  readInvite(by: Person): string {
    this.#requireOwnMembership(by);
    if (this.role(by) === 'member') throw new GroupError(401, 'not-authorized');
    return this.#inviteCode;
  }

  /** @throws GroupError 403. */
  requireAdmin(phone: Person): void {
    if (!this.has(phone) || this.role(phone) === 'member') throw new GroupError(403, 'forbidden');
  }

  /** Of those who may change the subject, description and picture. @throws GroupError 403. */
  requireEditor(phone: Person): void {
    if (this.#settings.restrict) this.requireAdmin(phone);
    this.#requireOwnMembership(phone);
  }

  /** @throws GroupError 404. */
  requireMember(phone: Person): void {
    if (!this.has(phone)) throw new GroupError(404, 'item-not-found');
  }

  #changeRoles(by: Person, people: readonly Person[], tag: 'promote' | 'demote', role: GroupRole): void {
    this.requireAdmin(by);
    for (const phone of people) this.requireMember(phone);
    for (const phone of people) if (this.role(phone) !== 'superadmin') this.#roles.set(phone, role);
    this.#tell(by, {
      tag,
      attrs: {},
      content: people.map((phone) => participantNode(phone, this.role(phone))),
    });
  }

  #letIn(by: Person, people: readonly Person[], reason?: string): void {
    const before = this.members();
    for (const phone of people) this.#join(phone, 'member');
    const attrs = reason === undefined ? {} : { reason };
    this.#tell(
      by,
      { tag: 'add', attrs, content: people.map((phone) => participantNode(phone, 'member')) },
      before,
    );
    this.#tell(by, { tag: 'create', attrs, content: [groupNode(this)] }, people);
  }

  #letOut(by: Person, people: readonly Person[]): void {
    const before = this.members();
    const content = people.map((phone) => participantNode(phone, this.role(phone)));
    for (const phone of people) {
      this.#roles.delete(phone);
      this.#memberships.changed(this, phone, false);
    }
    this.#tell(by, { tag: 'remove', attrs: {}, content }, before);
  }

  #join(phone: Person, role: GroupRole): void {
    this.#roles.set(phone, role);
    this.#requests.delete(phone);
    this.#admission.joined(phone);
    this.#memberships.changed(this, phone, true);
  }

  /** Of the person who acts. */
  #requireOwnMembership(phone: Person): void {
    if (!this.has(phone)) throw new GroupError(403, 'forbidden');
  }

  #tell(by: Person, change: BinaryNode, people: readonly Person[] = this.members()): void {
    const attrs = {
      from: this.jid,
      participant: by.lid,
      ...by.beside('participant'),
      notify: by.name,
    };
    for (const phone of people) {
      for (const device of phone.devices.values()) device.notify('w:gp2', [change], attrs);
    }
  }
}
