import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  getBinaryNodeChildString,
} from '@whiskeysockets/baileys';
import type { DeviceContext } from '../server/feature.js';
import { Communities } from './communities.js';
import type { Group } from './group.js';
import { GroupError } from './group-error.js';
import { groupNode } from './group-node.js';

type Change = (communities: Communities, community: Group, group: Group) => void;

/** Clients' requests about one community, by the type of the iq and the tag of its child. */
export const communityRequests = {
  'get:sub_groups': (community: Group, _request: BinaryNode, { simulator, phone }: DeviceContext) => {
    const groups = new Communities(simulator.groups).groupsOf(community, phone);
    const content = groups.map((group) => ({ tag: 'group', attrs: groupNode(group).attrs }));
    return [{ tag: 'sub_groups', attrs: {}, content }];
  },
  'set:links': (community: Group, request: BinaryNode, context: DeviceContext) => {
    const link = getBinaryNodeChild(request, 'link');
    const content = changeEach(link, community, context, (communities, into, group) =>
      communities.link(context.phone, into, group),
    );
    return [{ tag: 'links', attrs: {}, content: [{ tag: 'link', attrs: { ...link?.attrs }, content }] }];
  },
  'set:unlink': (community: Group, request: BinaryNode, context: DeviceContext) => {
    const content = changeEach(request, community, context, (communities, from, group) =>
      communities.unlink(context.phone, from, group),
    );
    return [{ tag: 'unlink', attrs: { ...request.attrs }, content }];
  },
};

/** Creates what `<create>` asks for, if that is a community. */
export function createCommunity(
  request: BinaryNode,
  { simulator, phone }: DeviceContext,
): readonly BinaryNode[] | undefined {
  if (getBinaryNodeChild(request, 'parent') === undefined) return undefined;
  const description = getBinaryNodeChildString(getBinaryNodeChild(request, 'description'), 'body');
  const communities = new Communities(simulator.groups);
  return [groupNode(communities.create(phone, request.attrs.subject ?? '', description))];
}

/** The outcome for each group. A refusal of one does not undo the others. */
function changeEach(
  request: BinaryNode | undefined,
  community: Group,
  { simulator, phone }: DeviceContext,
  change: Change,
): BinaryNode[] {
  // Those who may not change the community are refused as a whole.
  community.requireAdmin(phone);
  const communities = new Communities(simulator.groups);
  return getBinaryNodeChildren(request, 'group').map(({ attrs: { jid = '' } }) => {
    try {
      change(communities, community, simulator.groups.require(jid));
      return { tag: 'group', attrs: { jid } };
    } catch (error) {
      if (!(error instanceof GroupError)) throw error;
      return { tag: 'group', attrs: { jid, error: String(error.code) } };
    }
  });
}
