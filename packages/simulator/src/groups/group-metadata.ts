import type { Account } from '../world/account.js';

/** A member's rights: `superadmin` created the group and cannot be demoted by others. */
export type GroupRole = 'superadmin' | 'admin' | 'member';

export interface GroupDescription {
  readonly id: string;
  readonly text: string;
  readonly author: Account;
  /** Seconds since 1970. */
  readonly time: number;
}

/** What admins can switch; `announce`: only admins send, `restrict`: only admins change subject and description. */
export interface GroupSettings {
  readonly announce: boolean;
  readonly restrict: boolean;
  /** Admins must approve people who use the invite link. */
  readonly joinApproval: boolean;
  /** Every member may add others. */
  readonly membersCanAdd: boolean;
  /** Seconds after which messages vanish; 0: never. */
  readonly ephemeralSeconds: number;
}

/** What a group is in a community. */
export interface GroupPlace {
  /** Others are linked to it. */
  readonly isCommunity: boolean;
  /** Everybody in its community is in it, and only admins write. */
  readonly isAnnouncements: boolean;
  /** The JID of the community that it is linked to. */
  readonly parent: string | undefined;
}

/** What members see of a group. */
export interface GroupMetadata {
  readonly id: string;
  readonly creator: Account;
  /** Seconds since 1970. */
  readonly creation: number;
  readonly subject: string;
  readonly subjectAuthor: Account;
  /** Seconds since 1970. */
  readonly subjectTime: number;
  readonly description: GroupDescription | undefined;
  readonly settings: GroupSettings;
  readonly place: GroupPlace;
  members(): readonly Account[];
  /** Undefined for people who are not members. */
  role(phone: Account): GroupRole | undefined;
}
