import { type BinaryNode, proto } from '@whiskeysockets/baileys';

/** The stanza's `edit`, as WhatsApp's apps set it for admins of channels. */
const EDIT = '3';
const DELETE = '8';
/** The same where a reaction is taken back. */
const REMOVE_REACTION = '7';

interface Place {
  readonly channel: string;
  readonly messageId: string;
}

function stanza(
  { channel, messageId }: Place,
  attrs: Record<string, string>,
  content: BinaryNode[],
): BinaryNode {
  return { tag: 'message', attrs: { to: channel, id: messageId, ...attrs }, content };
}

function plaintext(content: proto.IMessage | undefined): BinaryNode {
  const bytes = content === undefined ? new Uint8Array() : proto.Message.encode(content).finish();
  return { tag: 'plaintext', attrs: {}, content: bytes };
}

/** A new message of a channel. Baileys leaves out what WhatsApp wants in the stanza of a poll. */
export function newPost(place: Place, content: proto.IMessage): BinaryNode {
  const isPoll = Boolean(content.pollCreationMessage ?? content.pollCreationMessageV3);
  const meta = { tag: 'meta', attrs: { polltype: 'creation', contenttype: 'text' } };
  return stanza(place, { type: isPoll ? 'poll' : 'text' }, [plaintext(content), ...(isPoll ? [meta] : [])]);
}

/** Another content for a message. `messageId` is that of the message itself. */
export function editedPost(place: Place, content: proto.IMessage): BinaryNode {
  return stanza(place, { type: 'text', edit: EDIT }, [plaintext(content)]);
}

/** `messageId` is that of the message itself. */
export function deletedPost(place: Place): BinaryNode {
  return stanza(place, { type: 'text', edit: DELETE }, [plaintext(undefined)]);
}

/** A reaction to the message that has this number; an empty emoji takes it back. */
export function reactionToPost(place: Place, serverId: string, emoji: string): BinaryNode {
  const removed = emoji === '' ? { edit: REMOVE_REACTION } : {};
  const reaction = { tag: 'reaction', attrs: emoji === '' ? {} : { code: emoji } };
  return stanza(place, { type: 'reaction', server_id: serverId, ...removed }, [reaction]);
}
