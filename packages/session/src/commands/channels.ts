import { type Channel, type channelCommands, WafleetError } from '@wafleet/contract';
import { QueryIds, type WASocket } from '@whiskeysockets/baileys';
import {
  changeAsAdmin,
  changeAsFollower,
  channelNotFound,
  readOfChannel,
} from './channel-requests/ask-channel.js';
import { askMex } from './channel-requests/ask-mex.js';
import { toChannel } from './channel-requests/channel-details.js';
import { readMessages } from './channel-requests/channel-messages.js';
import type { HandlersOf } from './command-context.js';
import { pageOf } from './group-requests/page.js';
import { change } from './whatsapp-requests.js';

/** The query for the channels that an account follows. Baileys does not have it; whatsmeow asks by the same number. */
const SUBSCRIBED = { id: '6388546374527196', path: 'xwa2_newsletter_subscribed' };
const METADATA = { id: QueryIds.METADATA, path: 'xwa2_newsletter' };
const CREATE = { id: QueryIds.CREATE, path: 'xwa2_newsletter_create' };
const UPDATE = { id: QueryIds.UPDATE_METADATA, path: 'xwa2_newsletter_update' };
const DELETE = { id: QueryIds.DELETE, path: 'xwa2_newsletter_delete_v2' };
const FOLLOW = { id: QueryIds.FOLLOW, path: 'xwa2_newsletter_join_v2' };
const UNFOLLOW = { id: QueryIds.UNFOLLOW, path: 'xwa2_newsletter_leave_v2' };
const MUTE = { id: QueryIds.MUTE, path: 'xwa2_newsletter_mute_v2' };
const UNMUTE = { id: QueryIds.UNMUTE, path: 'xwa2_newsletter_unmute_v2' };

type Query = typeof FOLLOW;

async function find(socket: WASocket, type: 'JID' | 'INVITE', key: string): Promise<Channel> {
  const variables = {
    ...{ fetch_creation_time: true, fetch_full_image: true, fetch_viewer_metadata: type === 'JID' },
    input: { key, type },
  };
  const channel = toChannel(await readOfChannel(askMex(socket, METADATA, variables)));
  if (channel === undefined) throw channelNotFound();
  return channel;
}

async function asFollower(socket: WASocket, query: Query, channel: string): Promise<Record<string, never>> {
  await changeAsFollower(askMex(socket, query, { newsletter_id: channel }));
  return {};
}

async function asAdmin(
  socket: WASocket,
  query: Query,
  channel: string,
  more: object = {},
): Promise<Record<string, never>> {
  await changeAsAdmin(askMex(socket, query, { newsletter_id: channel, ...more }));
  return {};
}

function update(socket: WASocket, channel: string, updates: object): Promise<Record<string, never>> {
  return asAdmin(socket, UPDATE, channel, { updates: { ...updates, settings: null } });
}

export const channelHandlers: HandlersOf<typeof channelCommands> = {
  'list-channels': async ({ socket }, page) => {
    const answer = await readOfChannel(askMex(socket, SUBSCRIBED, {}));
    const channels = (Array.isArray(answer) ? answer : []).flatMap((each: unknown) => toChannel(each) ?? []);
    return pageOf(channels, page);
  },
  'get-channel': ({ socket }, { channel }) => find(socket, 'JID', channel),
  'get-channel-by-invitation': ({ socket }, { invitation }) => find(socket, 'INVITE', invitation),
  // Baileys' `newsletterCreate` fails for a channel without a picture, which every new one is (docs/upstream.md, 36).
  'create-channel': async ({ socket }, { name, description }) => {
    const input = { name, description: description ?? null };
    const channel = toChannel(await change(askMex(socket, CREATE, { input })));
    if (channel !== undefined) return channel;
    throw new WafleetError(
      'OUTCOME_UNKNOWN',
      'WhatsApp did not describe the new channel. List the channels.',
    );
  },
  'change-channel': ({ socket }, { channel, name, description }) =>
    update(socket, channel, {
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description: description ?? '' }),
    }),
  'delete-channel': ({ socket }, { channel }) => asAdmin(socket, DELETE, channel),
  // Baileys' `newsletterUpdatePicture` needs a library that scales pictures.
  'set-channel-picture': ({ socket }, { channel, image }) => update(socket, channel, { picture: image }),
  'remove-channel-picture': ({ socket }, { channel }) => update(socket, channel, { picture: '' }),
  'follow-channel': ({ socket }, { channel }) => asFollower(socket, FOLLOW, channel),
  'unfollow-channel': ({ socket }, { channel }) => asFollower(socket, UNFOLLOW, channel),
  'mute-channel': ({ socket }, { channel }) => asFollower(socket, MUTE, channel),
  'unmute-channel': ({ socket }, { channel }) => asFollower(socket, UNMUTE, channel),
  'list-channel-messages': ({ socket }, { channel, ...page }) => readMessages(socket, channel, page),
};
