import { type BinaryNode, getBinaryNodeChild, proto } from '@whiskeysockets/baileys';
import { IqError } from '../protocol/iq-error.js';
import type { DeviceContext } from '../server/feature.js';
import type { ChannelPost } from './channel.js';

/** The stanza's `edit`, as admins of channels set it. */
const EDIT = '3';
const DELETE = '8';

/** What becomes of a message to a channel: its number, or the code with which it is refused. */
export interface TakenPost {
  readonly serverId?: number;
  readonly refusal?: number;
}

/** Takes a client's message to a channel. */
export function takePost(stanza: BinaryNode, context: DeviceContext): TakenPost {
  const refusal = context.simulator.messageRefusal(context.phone);
  if (refusal !== undefined) return { refusal };
  try {
    return { serverId: route(stanza, context).serverId };
  } catch (error) {
    if (error instanceof IqError) return { refusal: error.code };
    throw error;
  }
}

function route(stanza: BinaryNode, { simulator, device, phone }: DeviceContext): ChannelPost {
  const { to = '', id = '', type = 'text', edit, server_id } = stanza.attrs;
  const channel = simulator.channels.require(to);
  const reaction = getBinaryNodeChild(stanza, 'reaction');
  if (reaction !== undefined) return channel.react(phone, Number(server_id), reaction.attrs.code);
  if (edit === DELETE) return channel.delete(phone, id);
  const plaintext = getBinaryNodeChild(stanza, 'plaintext')?.content;
  if (!(plaintext instanceof Uint8Array)) throw new IqError(400, 'bad-request');
  const message = proto.Message.decode(plaintext);
  if (edit === EDIT) return channel.edit(phone, id, message);
  const poll = getBinaryNodeChild(stanza, 'meta')?.attrs.polltype;
  if ((type === 'poll') !== (poll === 'creation')) throw new IqError(400, 'bad-request');
  return channel.post(phone, message, { id, type, from: device });
}
