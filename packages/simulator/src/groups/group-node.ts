import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Account } from '../world/account.js';
import type { GroupMetadata, GroupRole, GroupSettings } from './group-metadata.js';

/** `<participant>` as `w:g2` answers and `w:gp2` notifications carry it; ordinary members have no `type`. */
export function participantNode(phone: Account, role: GroupRole | undefined): BinaryNode {
  const attrs = phone.memberAttrs;
  if (role !== undefined && role !== 'member') attrs.type = role;
  return { tag: 'participant', attrs };
}

/** `<group>`: a group's metadata with all its members. */
export function groupNode(group: GroupMetadata): BinaryNode {
  const { settings, place } = group;
  const members = group.members().map((phone) => participantNode(phone, group.role(phone)));
  return {
    tag: 'group',
    attrs: {
      id: group.id,
      addressing_mode: 'lid',
      subject: group.subject,
      s_o: group.subjectAuthor.lid,
      ...group.subjectAuthor.beside('s_o'),
      s_t: String(group.subjectTime),
      size: String(members.length),
      creation: String(group.creation),
      creator: group.creator.lid,
      ...group.creator.beside('creator'),
    },
    content: [
      ...members,
      ...descriptionNodes(group),
      ...when(place.isCommunity, {
        tag: 'parent',
        attrs: { default_membership_approval_mode: 'request_required' },
      }),
      ...when(place.isAnnouncements, { tag: 'default_sub_group', attrs: {} }),
      ...(place.parent === undefined ? [] : [{ tag: 'linked_parent', attrs: { jid: place.parent } }]),
      ...when(settings.restrict, { tag: 'locked', attrs: {} }),
      ...when(settings.announce, { tag: 'announcement', attrs: {} }),
      ...when(settings.joinApproval, { tag: 'membership_approval_mode', attrs: {} }),
      ...when(settings.membersCanAdd, {
        tag: 'member_add_mode',
        attrs: {},
        content: Buffer.from('all_member_add'),
      }),
      ...when(settings.ephemeralSeconds > 0, {
        tag: 'ephemeral',
        attrs: { expiration: String(settings.ephemeralSeconds) },
      }),
    ],
  };
}

function descriptionNodes({ description }: GroupMetadata): BinaryNode[] {
  if (!description) return [];
  const { author, id, text, time } = description;
  return [
    {
      tag: 'description',
      attrs: { id, participant: author.lid, t: String(time) },
      content: [{ tag: 'body', attrs: {}, content: Buffer.from(text, 'utf-8') }],
    },
  ];
}

function when(condition: boolean, node: BinaryNode): BinaryNode[] {
  return condition ? [node] : [];
}

/** The notifications of changed settings, one for each. */
export function settingNodes(before: GroupSettings, after: GroupSettings): BinaryNode[] {
  const nodes: BinaryNode[] = [];
  if (before.announce !== after.announce) {
    nodes.push({ tag: after.announce ? 'announcement' : 'not_announcement', attrs: {} });
  }
  if (before.restrict !== after.restrict) {
    nodes.push({ tag: after.restrict ? 'locked' : 'unlocked', attrs: {} });
  }
  if (before.joinApproval !== after.joinApproval) {
    const state = after.joinApproval ? 'on' : 'off';
    nodes.push({
      tag: 'membership_approval_mode',
      attrs: {},
      content: [{ tag: 'group_join', attrs: { state } }],
    });
  }
  if (before.membersCanAdd !== after.membersCanAdd) {
    const mode = after.membersCanAdd ? 'all_member_add' : 'admin_add';
    nodes.push({ tag: 'member_add_mode', attrs: {}, content: Buffer.from(mode) });
  }
  if (before.ephemeralSeconds !== after.ephemeralSeconds) {
    const expiration = String(after.ephemeralSeconds);
    nodes.push(
      after.ephemeralSeconds > 0
        ? { tag: 'ephemeral', attrs: { expiration } }
        : { tag: 'not_ephemeral', attrs: {} },
    );
  }
  return nodes;
}
