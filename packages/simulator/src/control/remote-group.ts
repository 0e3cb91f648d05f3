import type { GroupAnswer } from './answers.js';
import type { ControlChannel } from './channel.js';
import { type Person, personName } from './names.js';
import type { Body } from './schemas.js';

/** A group in a simulator in another process. The first argument of each verb is the person who acts. */
export class RemoteGroup {
  readonly #channel: ControlChannel;
  readonly jid: string;

  /** Use `RemotePhone.createGroup` or `SimulatorControl.group`. */
  constructor(channel: ControlChannel, { jid }: GroupAnswer) {
    this.#channel = channel;
    this.jid = jid;
  }

  state(): Promise<GroupAnswer> {
    return this.#channel.request('GET', `/groups/${this.jid}`);
  }

  add(by: Person, ...members: readonly Person[]): Promise<GroupAnswer> {
    return this.#members(by, 'add', members);
  }

  remove(by: Person, ...members: readonly Person[]): Promise<GroupAnswer> {
    return this.#members(by, 'remove', members);
  }

  promote(by: Person, ...members: readonly Person[]): Promise<GroupAnswer> {
    return this.#members(by, 'promote', members);
  }

  demote(by: Person, ...members: readonly Person[]): Promise<GroupAnswer> {
    return this.#members(by, 'demote', members);
  }

  leave(member: Person): Promise<GroupAnswer> {
    return this.#do('/leave', { by: personName(member) });
  }

  /** Changes the subject, description and settings that are given. */
  change(by: Person, changes: Omit<Body<'group'>, 'by'>): Promise<GroupAnswer> {
    return this.#do('', { by: personName(by), ...changes });
  }

  revokeInvite(by: Person): Promise<GroupAnswer> {
    return this.#do('/revoke-invite', { by: personName(by) });
  }

  answerJoinRequest(by: Person, person: Person, approve: boolean): Promise<GroupAnswer> {
    return this.#do('/join-request', { by: personName(by), person: personName(person), approve });
  }

  tagMember(member: Person, label: string): Promise<void> {
    return this.#do('/member-tag', { by: personName(member), label });
  }

  #members(
    by: Person,
    action: Body<'groupMembers'>['action'],
    members: readonly Person[],
  ): Promise<GroupAnswer> {
    return this.#do('/members', { by: personName(by), action, members: members.map(personName) });
  }

  #do<Answer>(path: string, body: unknown): Promise<Answer> {
    return this.#channel.request('POST', `/groups/${this.jid}${path}`, body);
  }
}
