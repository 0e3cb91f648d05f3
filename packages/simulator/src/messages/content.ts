import { getContentType, normalizeMessageContent, proto } from '@whiskeysockets/baileys';
import type { Account } from '../world/account.js';
import type { Addressing, MessageReference } from '../world/chat.js';

/** What a person sends: a text, or any message of the protocol. */
export type MessageContent = string | { readonly text: string } | proto.IMessage;

export interface SendOptions {
  /** How the recipients see the sender. Default: `lid`. Groups always use LIDs. */
  readonly addressing?: Addressing;
  /** The message's id. Default: a random one. */
  readonly id?: string;
  /** The message that a text answers. */
  readonly quoted?: MessageReference & { readonly message: proto.IMessage };
  /** Marks a text as forwarded. */
  readonly forwarded?: boolean;
  /** Who sees a status update; needed for, and only used with, `statusBroadcast`. */
  readonly audience?: readonly Account[];
  /**
   * Withholds the content from the recipients' linked devices, which get `<unavailable type>` instead. Their phone has
   * the content. They ask their phone for it, except for the types `…_unavailable_fanout`.
   */
  readonly unavailable?:
    | 'placeholder'
    | 'view_once_unavailable_fanout'
    | 'hosted_unavailable_fanout'
    | 'bot_unavailable_fanout';
  /** Time of the stanza in seconds since 1970. Default: now. */
  readonly timestamp?: number;
}

/** The protocol's form of a content. A text that quotes or is forwarded becomes an extended text. */
export function toMessage(content: MessageContent, options: SendOptions = {}): proto.IMessage {
  const text = typeof content === 'string' ? content : 'text' in content ? content.text : undefined;
  if (text === undefined) return content as proto.IMessage;
  const { quoted, forwarded } = options;
  if (!quoted && !forwarded) return { conversation: text };
  return {
    extendedTextMessage: {
      text,
      contextInfo: {
        ...(quoted && {
          stanzaId: quoted.id,
          participant: quoted.sender.lid,
          quotedMessage: quoted.message,
        }),
        ...(forwarded && { isForwarded: true, forwardingScore: 1 }),
      },
    },
  };
}

/** The text of a text message. */
export function textOf(message: proto.IMessage): string | undefined {
  const content = normalizeMessageContent(message);
  return content?.conversation ?? content?.extendedTextMessage?.text ?? undefined;
}

const mediaTypes: ReadonlySet<string> = new Set([
  'imageMessage',
  'videoMessage',
  'audioMessage',
  'documentMessage',
  'stickerMessage',
  'contactMessage',
  'locationMessage',
]);

const { Type } = proto.Message.ProtocolMessage;

/** The stanza's `type` and `edit` for a message, as WhatsApp's own clients set them. */
export function stanzaKind(message: proto.IMessage): { type: string; edit?: string } {
  const content = normalizeMessageContent(message);
  const kind = getContentType(content);
  switch (content?.protocolMessage?.type) {
    case Type.MESSAGE_EDIT:
      return { type: 'text', edit: '1' };
    case Type.REVOKE:
      return { type: 'text', edit: '7' };
    default:
  }
  if (content?.secretEncryptedMessage) return { type: 'text', edit: '1' };
  if (kind === 'reactionMessage' || kind === 'encReactionMessage') return { type: 'reaction' };
  if (kind?.startsWith('poll')) return { type: 'poll' };
  return { type: kind && mediaTypes.has(kind) ? 'media' : 'text' };
}
