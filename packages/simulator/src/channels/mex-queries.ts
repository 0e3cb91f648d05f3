import { QueryIds } from '@whiskeysockets/baileys';
import { type MexQueries, objectIn, textIn, type Variables } from '../mex/mex-query.js';
import { IqError } from '../protocol/iq-error.js';
import type { DeviceContext } from '../server/feature.js';
import type { Account } from '../world/account.js';
import type { Channel } from './channel.js';

/** The query for the channels that an account follows, which Baileys does not have. */
const SUBSCRIBED = '6388546374527196';

/** What clients ask about channels, and how they change them. */
export const channelQueries: MexQueries = {
  [QueryIds.CREATE]: {
    path: 'xwa2_newsletter_create',
    answer: (variables, { simulator, phone }) => {
      const input = objectIn(variables, 'input');
      const name = textIn(input, 'name');
      if (name === '') throw new IqError(400, 'bad-request');
      return metadata(simulator.channels.create(phone, name, textIn(input, 'description')), phone);
    },
  },
  [QueryIds.METADATA]: {
    path: 'xwa2_newsletter',
    answer: (variables, { simulator, phone }) => {
      const { key, type } = objectIn(variables, 'input');
      const { channels } = simulator;
      const channel = type === 'JID' ? channels.find(String(key)) : channels.byInviteCode(String(key));
      if (channel === undefined) throw new IqError(404, 'item-not-found');
      const { viewer_metadata, ...rest } = metadata(channel, phone);
      return variables.fetch_viewer_metadata === true ? { ...rest, viewer_metadata } : rest;
    },
  },
  [SUBSCRIBED]: {
    path: 'xwa2_newsletter_subscribed',
    answer: (_variables, { simulator, phone }) =>
      simulator.channels.of(phone).map((channel) => metadata(channel, phone)),
  },
  [QueryIds.UPDATE_METADATA]: {
    path: 'xwa2_newsletter_update',
    answer: (variables, context) => {
      const channel = named(variables, context);
      channel.requireAdmin(context.phone);
      const { name, description, picture } = objectIn(variables, 'updates');
      if (typeof name === 'string') channel.name = name;
      if (typeof description === 'string') channel.description = description;
      if (picture === '') channel.picturePath = undefined;
      else if (typeof picture === 'string') {
        channel.picturePath = context.simulator.media.put(Buffer.from(picture, 'base64'));
      }
      return metadata(channel, context.phone);
    },
  },
  [QueryIds.DELETE]: {
    path: 'xwa2_newsletter_delete_v2',
    answer: (variables, context) => {
      const channel = named(variables, context);
      if (channel.owner !== context.phone) throw new IqError(403, 'forbidden');
      context.simulator.channels.delete(channel);
      return { id: channel.jid, state: { type: 'DELETED' } };
    },
  },
  [QueryIds.FOLLOW]: change('xwa2_newsletter_join_v2', ({ followers }, phone) => followers.add(phone)),
  [QueryIds.UNFOLLOW]: change('xwa2_newsletter_leave_v2', ({ followers }, phone) => followers.delete(phone)),
  [QueryIds.MUTE]: change('xwa2_newsletter_mute_v2', ({ muted }, phone) => muted.add(phone)),
  [QueryIds.UNMUTE]: change('xwa2_newsletter_unmute_v2', ({ muted }, phone) => muted.delete(phone)),
};

function change(path: string, apply: (channel: Channel, phone: Account) => unknown): MexQueries[string] {
  return {
    path,
    answer: (variables, context) => {
      const channel = named(variables, context);
      apply(channel, context.phone);
      return { id: channel.jid, state: { type: 'ACTIVE' } };
    },
  };
}

function named(variables: Variables, { simulator }: DeviceContext): Channel {
  return simulator.channels.require(textIn(variables, 'newsletter_id'));
}

/** A channel as WhatsApp describes it. A new one has no picture, and counts are texts. */
function metadata(channel: Channel, viewer: Account) {
  const text = (value: string) => ({ text: value, id: '1', update_time: `${channel.createdAt}000000` });
  const picture = (type: string) => ({ id: '1', type, direct_path: channel.picturePath ?? '' });
  return {
    id: channel.jid,
    state: { type: 'ACTIVE' },
    thread_metadata: {
      creation_time: String(channel.createdAt),
      invite: channel.inviteCode,
      handle: null,
      name: text(channel.name),
      description: text(channel.description),
      subscribers_count: String(channel.followers.size),
      verification: 'UNVERIFIED',
      picture: channel.picturePath === undefined ? null : picture('IMAGE'),
      preview: picture('PREVIEW'),
      settings: { reaction_codes: { value: 'ALL' } },
    },
    viewer_metadata: {
      mute: channel.muted.has(viewer) ? 'ON' : 'OFF',
      role: channel.roleOf(viewer),
    },
  };
}
