import { channelMessageSchema } from '@wafleet/contract';
import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  proto,
  S_WHATSAPP_NET,
  type WASocket,
} from '@whiskeysockets/baileys';
import type { z } from 'zod';
import { toMessages } from '../../mapping/messages.js';
import { readOfChannel } from './ask-channel.js';

type ChannelMessage = z.output<typeof channelMessageSchema>;

/** A reply on the bus has at most 256 KiB. */
const PAGE_BYTES = 200 * 1024;
const bytesOf = (item: ChannelMessage) => Buffer.byteLength(JSON.stringify(item));

interface Page {
  readonly items: ChannelMessage[];
  readonly nextCursor?: string;
}

/**
 * The newest messages of a channel, or those before the one that has the cursor as its number. Baileys'
 * `newsletterFetchMessages` asks for the changes of messages, and not for the messages.
 * @throws {WafleetError} CHANNEL_NOT_FOUND, WHATSAPP_REFUSED, UNAVAILABLE.
 */
export async function readMessages(
  socket: WASocket,
  channel: string,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<Page> {
  const attrs = {
    ...{ type: 'jid', jid: channel, count: String(limit) },
    ...(cursor === undefined ? {} : { before: cursor }),
  };
  const answer = await readOfChannel(
    socket.query({
      tag: 'iq',
      attrs: { to: S_WHATSAPP_NET, type: 'get', xmlns: 'newsletter' },
      content: [{ tag: 'messages', attrs }],
    }),
  );
  const found = getBinaryNodeChildren(getBinaryNodeChild(answer, 'messages'), 'message')
    .flatMap((node) => toItem(node, channel))
    .sort((one, other) => other.serverId - one.serverId)
    .slice(0, limit);
  return toPage(found);
}

interface Numbered {
  readonly serverId: number;
  readonly item: ChannelMessage;
}

/** WhatsApp gives fewer messages than asked for at any place: only an empty page is certainly the last one. */
function toPage(found: readonly Numbered[]): Page {
  const shown: Numbered[] = [];
  let bytes = 0;
  for (const each of found) {
    bytes += bytesOf(each.item);
    if (bytes > PAGE_BYTES && shown.length > 0) break;
    shown.push(each);
  }
  const last = shown.at(-1);
  const items = shown.map(({ item }) => item);
  return last === undefined ? { items } : { items, nextCursor: String(last.serverId) };
}

/** Returns nothing for a message without a number or id. */
function toItem(node: BinaryNode, channel: string): Numbered[] {
  const { server_id = '', id = '', t = '', is_sender } = node.attrs;
  const serverId = Number(server_id);
  if (!Number.isSafeInteger(serverId) || serverId <= 0 || id === '') return [];
  const message = contentOf(getBinaryNodeChild(node, 'plaintext'));
  const views = countOf(getBinaryNodeChild(node, 'views_count'));
  const reactions = getBinaryNodeChildren(getBinaryNodeChild(node, 'reactions'), 'reaction').flatMap(
    (reaction) => {
      const { code } = reaction.attrs;
      return code === undefined || code === '' ? [] : [{ text: code, count: countOf(reaction) ?? 0 }];
    },
  );
  const [fields] = toMessages([
    {
      key: { remoteJid: channel, id, fromMe: is_sender === 'true', server_id },
      messageTimestamp: Number(t),
      ...(message === undefined ? {} : { message }),
    },
  ]);
  const item = channelMessageSchema.safeParse({
    ...fields,
    ...(views === undefined ? {} : { views }),
    ...(reactions.length === 0 ? {} : { reactions }),
  });
  return item.success ? [{ serverId, item: inBounds(item.data) }] : [];
}

/** A message that is larger than a page has no content, so that those before it can be listed. */
function inBounds(item: ChannelMessage): ChannelMessage {
  if (bytesOf(item) <= PAGE_BYTES) return item;
  const { message: _tooLarge, ...others } = item;
  return others;
}

/** Undefined if the message was deleted, or cannot be read. */
function contentOf(plaintext: BinaryNode | undefined): proto.IMessage | undefined {
  const bytes = plaintext?.content;
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) return undefined;
  try {
    return proto.Message.decode(bytes);
  } catch {
    return undefined;
  }
}

function countOf(node: BinaryNode | undefined): number | undefined {
  const count = Number(node?.attrs.count);
  return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}
