import { type BinaryNode, isJidGroup, proto } from '@whiskeysockets/baileys';

const { REVOKE } = proto.Message.ProtocolMessage.Type;

/** What a stanza has besides the encrypted content, as Baileys' `sendMessage` sets it (Socket/messages-send.js). */
interface StanzaOptions {
  readonly additionalAttributes?: Record<string, string>;
  readonly additionalNodes?: BinaryNode[];
}

/** The stanza's attributes and children that WhatsApp wants for some contents. */
export function stanzaOptions({
  protocolMessage,
  pinInChatMessage,
  pollCreationMessage,
  pollCreationMessageV3,
  pollUpdateMessage,
  eventMessage,
}: proto.IMessage): StanzaOptions {
  if (protocolMessage?.type === REVOKE) {
    const { key } = protocolMessage;
    // 8 if an admin of a group deletes a message of somebody else.
    const isOfMember = isJidGroup(key?.remoteJid ?? '') && key?.fromMe !== true;
    return { additionalAttributes: { edit: isOfMember ? '8' : '7' } };
  }
  if (protocolMessage?.editedMessage) return { additionalAttributes: { edit: '1' } };
  if (pinInChatMessage) return { additionalAttributes: { edit: '2' } };
  if (pollCreationMessage || pollCreationMessageV3) return withMeta({ polltype: 'creation' });
  if (pollUpdateMessage) return withMeta({ polltype: 'vote' });
  if (eventMessage) return withMeta({ event_type: 'creation' });
  return {};
}

function withMeta(attrs: Record<string, string>): StanzaOptions {
  return { additionalNodes: [{ tag: 'meta', attrs }] };
}

/**
 * Whether others may refer to the message: then it has a secret, with which they encrypt reactions, comments, edits and
 * votes. What says something about another message has none.
 */
export function canBeReferredTo(content: proto.IMessage): boolean {
  const { protocolMessage, reactionMessage, pinInChatMessage, pollUpdateMessage } = content;
  return !(protocolMessage || reactionMessage || pinInChatMessage || pollUpdateMessage);
}
