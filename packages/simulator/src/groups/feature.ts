import {
  type BinaryNode,
  getAllBinaryNodeChildren,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  getBinaryNodeChildString,
} from '@whiskeysockets/baileys';
import { IqError } from '../protocol/iq-error.js';
import type { DeviceContext, Feature } from '../server/feature.js';
import type { Account } from '../world/account.js';
import { Communities } from './communities.js';
import { communityRequests, createCommunity } from './community-requests.js';
import type { Group } from './group.js';
import { GroupError } from './group-error.js';
import type { GroupSettings } from './group-metadata.js';
import { groupNode } from './group-node.js';

type GroupRequest = (group: Group, request: BinaryNode, context: DeviceContext) => readonly BinaryNode[];

/** A client's requests about one group: `<iq to=…@g.us xmlns=w:g2 type=set|get>` by the tag of its child. */
const groupRequests: Readonly<Record<string, GroupRequest>> = {
  ...communityRequests,
  'get:query': (group, _request, { phone }) => {
    group.queries += 1;
    if (!group.has(phone)) throw new GroupError(403, 'forbidden');
    return [groupNode(group)];
  },
  'get:invite': (group, _request, { phone }) => [{ tag: 'invite', attrs: { code: group.readInvite(phone) } }],
  'set:accept': (group, request, { phone }) => {
    group.acceptInvitation(phone, request.attrs.code ?? '');
    return [{ tag: 'group', attrs: { jid: group.jid } }];
  },
  'set:invite': (group, _request, { phone }) => [
    { tag: 'invite', attrs: { code: group.revokeInvite(phone) } },
  ],
  'set:subject': (group, request, { phone }) => {
    group.setSubject(phone, contentText(request));
    return [];
  },
  'set:description': (group, request, { phone }) => {
    const { id, prev } = request.attrs;
    // A change names the description that it replaces, so that none is lost.
    if (prev !== group.description?.id) throw new GroupError(409, 'conflict');
    group.setDescription(phone, getBinaryNodeChildString(request, 'body') ?? '', id);
    return [];
  },
  'set:add': changeMembers((group, by, person) => group.add(by, [person])),
  'set:remove': changeMembers((group, by, person) => group.remove(by, [person])),
  'set:promote': changeMembers((group, by, person) => group.promote(by, [person])),
  'set:demote': changeMembers((group, by, person) => group.demote(by, [person])),
  'set:announcement': configure(() => ({ announce: true })),
  'set:not_announcement': configure(() => ({ announce: false })),
  'set:locked': configure(() => ({ restrict: true })),
  'set:unlocked': configure(() => ({ restrict: false })),
  'set:ephemeral': configure((request) => ({ ephemeralSeconds: Number(request.attrs.expiration) })),
  'set:not_ephemeral': configure(() => ({ ephemeralSeconds: 0 })),
  'set:member_add_mode': configure((request) => ({
    membersCanAdd: contentText(request) === 'all_member_add',
  })),
  'set:membership_approval_mode': configure((request) => ({
    joinApproval: getBinaryNodeChild(request, 'group_join')?.attrs.state === 'on',
  })),
  'get:membership_approval_requests': (group, _request, { phone }) => {
    group.requireAdmin(phone);
    const requests = group.joinRequests.map((person) => ({
      tag: 'membership_approval_request',
      attrs: {
        ...person.memberAttrs,
        request_time: String(group.requestedAt(person)),
        request_method: 'invite_link',
      },
    }));
    return [{ tag: 'membership_approval_requests', attrs: {}, content: requests }];
  },
  'set:membership_requests_action': (group, request, context) => {
    const actions = getAllBinaryNodeChildren(request).map((action) => ({
      tag: action.tag,
      attrs: {},
      content: forEachParticipant(action, context, (person) =>
        group.answerJoinRequest(context.phone, person, action.tag === 'approve'),
      ),
    }));
    return [{ tag: 'membership_requests_action', attrs: {}, content: actions }];
  },
};

/** Handles clients' group requests (`w:g2`). */
export const groupsFeature: Feature = {
  iqs: {
    'get:w:g2': answer,
    'set:w:g2': answer,
    'get:w:g2:participating': (_iq, { simulator, phone }) => [
      { tag: 'groups', attrs: {}, content: simulator.groups.of(phone).map((group) => groupNode(group)) },
    ],
    'set:w:g2:create': (iq, context) => {
      const request = child(iq, 'create');
      const made = createCommunity(request, context);
      if (made !== undefined) return made;
      const named = getBinaryNodeChildren(request, 'participant');
      const isAddable = ({ attrs }: BinaryNode) =>
        context.simulator.world.phone(attrs.jid ?? '')?.letsOthersAdd === true;
      const members = named.filter(isAddable).map((node) => personOf(node, context));
      const group = createGroup(request, context, members);
      // The answer lists the others too, each with the reason.
      const others = { ...request, content: named.filter((node) => !isAddable(node)) };
      const refused = forEachParticipant(others, context, (person) => group.add(context.phone, [person]));
      const node = groupNode(group);
      return [{ ...node, content: [...getAllBinaryNodeChildren(node), ...refused] }];
    },
    'set:w:g2:leave': (iq, { simulator, phone }) => {
      const left = getBinaryNodeChildren(child(iq, 'leave'), 'group');
      for (const { attrs } of left) simulator.groups.require(attrs.id ?? '').leave(phone);
      return [{ tag: 'leave', attrs: {}, content: left.map(({ attrs }) => ({ tag: 'group', attrs })) }];
    },
    'get:w:g2:invite': (iq, context) => {
      const { code } = child(iq, 'invite').attrs;
      if (code === undefined) return answer(iq, context);
      return [groupNode(context.simulator.groups.byInviteCode(code))];
    },
    'set:w:g2:invite': (iq, context) => {
      const { code } = child(iq, 'invite').attrs;
      if (code === undefined) return answer(iq, context);
      const group = context.simulator.groups.byInviteCode(code);
      const outcome = group.joinByInvite(context.phone);
      return [
        { tag: outcome === 'joined' ? 'group' : 'membership_approval_request', attrs: { jid: group.jid } },
      ];
    },
  },
};

/** Creates a group, of a community if the request names one. */
function createGroup(
  request: BinaryNode,
  { simulator, phone }: DeviceContext,
  members: readonly Account[],
): Group {
  const subject = request.attrs.subject ?? '';
  const parent = getBinaryNodeChild(request, 'linked_parent')?.attrs.jid;
  if (parent === undefined) return simulator.groups.create(phone, subject, members);
  const community = simulator.groups.require(parent);
  return new Communities(simulator.groups).createGroup(community, phone, subject, members);
}

function answer(iq: BinaryNode, context: DeviceContext): readonly BinaryNode[] {
  const [request] = getAllBinaryNodeChildren(iq);
  const handler = request && groupRequests[`${iq.attrs.type}:${request.tag}`];
  if (!handler) throw new IqError(501, 'feature-not-implemented');
  return handler(context.simulator.groups.require(iq.attrs.to ?? ''), request, context);
}

function changeMembers(change: (group: Group, by: Account, person: Account) => void): GroupRequest {
  return (group, request, context) => [
    {
      tag: request.tag,
      attrs: {},
      content: forEachParticipant(request, context, (person) => change(group, context.phone, person)),
    },
  ];
}

/** The outcome for each participant: one refusal does not undo the others. */
function forEachParticipant(
  request: BinaryNode,
  context: DeviceContext,
  change: (person: Account) => void,
): BinaryNode[] {
  return getBinaryNodeChildren(request, 'participant').map(({ attrs }) => {
    const jid = attrs.jid ?? '';
    try {
      change(personOf({ tag: 'participant', attrs }, context));
      return { tag: 'participant', attrs: { jid } };
    } catch (error) {
      if (!(error instanceof IqError)) throw error;
      const content = error instanceof GroupError ? [...error.content] : [];
      return { tag: 'participant', attrs: { jid, error: String(error.code) }, content };
    }
  });
}

function configure(change: (request: BinaryNode) => Partial<GroupSettings>): GroupRequest {
  return (group, request, { phone }) => {
    group.configure(phone, change(request));
    return [];
  };
}

function personOf({ attrs }: BinaryNode, { simulator }: DeviceContext): Account {
  const person = simulator.world.phone(attrs.jid ?? '');
  if (!person) throw new GroupError(404, 'item-not-found');
  return person;
}

function child(iq: BinaryNode, tag: string): BinaryNode {
  const node = getBinaryNodeChild(iq, tag);
  if (!node) throw new IqError(400, 'bad-request');
  return node;
}

function contentText({ content }: BinaryNode): string {
  if (content instanceof Uint8Array) return Buffer.from(content).toString('utf-8');
  // Texts that the protocol's dictionary has are sent by their numbers.
  return typeof content === 'string' ? content : '';
}
