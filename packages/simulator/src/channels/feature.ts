import { type BinaryNode, getBinaryNodeChild } from '@whiskeysockets/baileys';
import { IqError } from '../protocol/iq-error.js';
import type { Feature } from '../server/feature.js';
import type { Account } from '../world/account.js';
import { attrsOf, type ChannelPost, plaintextOf } from './channel.js';

/** The most messages in one answer. */
const MOST = 100;

/** Answers clients that list the messages of a channel. Other requests about channels are GraphQL queries. */
export const channelsFeature: Feature = {
  iqs: {
    'get:newsletter:messages': (iq, { simulator, phone }) => {
      const { type, jid = '', count = '', before } = getBinaryNodeChild(iq, 'messages')?.attrs ?? {};
      const isValid = iq.attrs.to === 's.whatsapp.net' || iq.attrs.to === '@s.whatsapp.net';
      if (!isValid || type !== 'jid') throw new IqError(400, 'bad-request');
      const { posts } = simulator.channels.require(jid);
      const shown = posts
        .filter(({ serverId }) => before === undefined || serverId < Number(before))
        .slice(-Math.min(Number(count), MOST))
        .map((post) => listed(post, phone));
      return [{ tag: 'messages', attrs: { jid, t: '0' }, content: shown }];
    },
  },
};

/** A message as a list has it, oldest first. */
function listed(post: ChannelPost, reader: Account): BinaryNode {
  const edit = post.message === undefined ? { edit: '8' } : post.isEdited ? { edit: '3' } : {};
  const counts = new Map<string, number>();
  for (const code of post.reactions.values()) counts.set(code, (counts.get(code) ?? 0) + 1);
  const reactions = [...counts].map(([code, count]) => ({
    tag: 'reaction',
    attrs: { code, count: String(count) },
  }));
  return {
    tag: 'message',
    attrs: { ...attrsOf(post, reader), ...edit },
    content: [
      plaintextOf(post),
      { tag: 'views_count', attrs: { count: String(post.views) } },
      { tag: 'reactions', attrs: {}, content: reactions },
    ],
  };
}
