import type { CommandFields } from '@wafleet/contract';
import { type BinaryNode, proto } from '@whiskeysockets/baileys';
import { buildContent } from '../../content/build-content.js';
import { textContent } from '../../content/text.js';
import type { TargetKey } from '../../known-messages/message-targets.js';
import type { CommandContext } from '../command-context.js';
import { toAdminError } from './ask-channel.js';
import { deletedPost, editedPost, newPost, reactionToPost } from './post-stanza.js';

const { REVOKE, MESSAGE_EDIT } = proto.Message.ProtocolMessage.Type;

interface Sent {
  readonly messageId: string;
  readonly serverId?: string;
}

/** A change of the message that has the key, under an id of its own. */
interface ChangeOfPost {
  readonly key: TargetKey;
  readonly messageId: string;
}

/**
 * Sends a text, a poll or a reaction to a channel.
 * @throws {WafleetError} CHANNEL_NOT_FOUND, NOT_CHANNEL_ADMIN, and as `MessageSender.post` does.
 */
export async function sendToChannel(
  session: CommandContext,
  { to: channel, text = '', content, messageId }: CommandFields<'send-message'>,
): Promise<Sent> {
  const place = { channel, messageId };
  if (content?.type === 'reaction') {
    await post(session, place, reactionToPost(place, content.messageId, content.emoji));
    return { messageId };
  }
  const { socket, known, targets } = session;
  const context = { socket, chat: channel, known, targets };
  const built =
    content === undefined ? textContent({ text }) : await buildContent(content.type, content, context);
  const serverId = await post(session, place, newPost(place, built), built);
  return { messageId, ...(serverId === undefined ? {} : { serverId }) };
}

/** Edits a message of a channel. The stanza has the id of that message. @throws as `sendToChannel`. */
export async function editInChannel(
  session: CommandContext,
  { key, messageId }: ChangeOfPost,
  edited: proto.IMessage,
): Promise<Sent> {
  const protocolMessage = { key, type: MESSAGE_EDIT, timestampMs: Date.now(), editedMessage: edited };
  const stanza = editedPost({ channel: key.remoteJid, messageId: key.id }, edited);
  await post(session, { channel: key.remoteJid, messageId }, stanza, { protocolMessage });
  return { messageId };
}

/** Deletes a message of a channel for everyone. The stanza has its id too. @throws as `sendToChannel`. */
export async function deleteInChannel(
  session: CommandContext,
  { key, messageId }: ChangeOfPost,
): Promise<Sent> {
  const stanza = deletedPost({ channel: key.remoteJid, messageId: key.id });
  const protocolMessage = { key, type: REVOKE };
  await post(session, { channel: key.remoteJid, messageId }, stanza, { protocolMessage });
  return { messageId };
}

async function post(
  { socket, messages }: CommandContext,
  { channel, messageId }: { readonly channel: string; readonly messageId: string },
  stanza: BinaryNode,
  published?: proto.IMessage,
): Promise<string | undefined> {
  try {
    return await messages.post(socket, { jid: channel, messageId, stanza, published });
  } catch (error) {
    throw toAdminError(error);
  }
}
