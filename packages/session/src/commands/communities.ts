import { type communityCommands, WafleetError } from '@wafleet/contract';
import {
  type BinaryNode,
  generateMessageIDV2,
  getBinaryNodeChild,
  getBinaryNodeChildren,
} from '@whiskeysockets/baileys';
import type { HandlersOf } from './command-context.js';
import {
  askAboutGroup,
  askOfAll,
  changeAnswer,
  PartRefusedError,
  readAnswer,
} from './group-requests/ask-group.js';
import { changeGroup, readGroup } from './group-requests/change-group.js';
import { readDetails, readNewGroup } from './group-requests/group-details.js';
import { pageOf } from './group-requests/page.js';

const LINKED_ALREADY = 409;

// Baileys' functions for communities log what WhatsApp answers, and resolve although WhatsApp refused the group.
export const communityHandlers: HandlersOf<typeof communityCommands> = {
  'create-community': async ({ socket }, { subject, desc }) => {
    const body = { tag: 'body', attrs: {}, content: Buffer.from(desc ?? '', 'utf-8') };
    const description = { tag: 'description', attrs: { id: generateMessageIDV2() }, content: [body] };
    const parent = { tag: 'parent', attrs: { default_membership_approval_mode: 'request_required' } };
    const content = desc === undefined ? [parent] : [description, parent];
    const asked = askOfAll(socket, 'set', { tag: 'create', attrs: { subject }, content });
    return { community: readDetails(readNewGroup(await changeAnswer(asked, {}))) };
  },

  'list-community-groups': async ({ socket }, { community, ...page }) => {
    const asked = askAboutGroup(socket, community, 'get', { tag: 'sub_groups', attrs: {} });
    const groups = getBinaryNodeChildren(getBinaryNodeChild(await readAnswer(asked), 'sub_groups'), 'group');
    return pageOf(groups.map(readDetails), page);
  },

  'link-group': async (context, { community, group }) => {
    const attrs = { link_type: 'sub_group' };
    const link = { tag: 'link', attrs, content: [{ tag: 'group', attrs: { jid: group } }] };
    try {
      await changeGroup(context, community, async (socket) => {
        const asked = { tag: 'links', attrs: {}, content: [link] };
        const answer = await askAboutGroup(socket, community, 'set', asked);
        requireDone(getBinaryNodeChild(getBinaryNodeChild(answer, 'links'), 'link'));
      });
    } catch (error) {
      const isLinked = error instanceof WafleetError && error.details?.code === LINKED_ALREADY;
      if (!isLinked || (await readGroup(context, group)).linkedParent !== community) throw error;
    } finally {
      context.groups.forget(group);
    }
    return {};
  },

  'unlink-group': async (context, { community, group }) => {
    const attrs = { unlink_type: 'sub_group' };
    const unlink = { tag: 'unlink', attrs, content: [{ tag: 'group', attrs: { jid: group } }] };
    try {
      await changeGroup(context, community, async (socket) =>
        requireDone(getBinaryNodeChild(await askAboutGroup(socket, community, 'set', unlink), 'unlink')),
      );
    } finally {
      context.groups.forget(group);
    }
    return {};
  },
};

/** @throws {PartRefusedError} if WhatsApp refused the one group of the request. */
function requireDone(answer: BinaryNode | undefined): void {
  for (const { attrs } of getBinaryNodeChildren(answer, 'group')) {
    if (attrs.error !== undefined && attrs.error !== '200') throw new PartRefusedError(Number(attrs.error));
  }
}
