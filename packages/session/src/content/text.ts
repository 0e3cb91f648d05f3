import type { ContentOf } from '@wafleet/contract';
import { proto } from '@whiskeysockets/baileys';
import { toJid } from './to-jid.js';

/** The text of a message or of an edit. */
type Text = Pick<ContentOf<'text'>, 'text' | 'mentions' | 'mentionAll' | 'linkPreview'>;

/** A text. Its preview is the caller's: the service would have to open addresses that a client writes. */
export function textContent({ text, mentions, mentionAll, linkPreview }: Text): proto.IMessage {
  const contextInfo = {
    ...(mentions === undefined ? {} : { mentionedJid: mentions.map(toJid) }),
    ...(mentionAll === true ? { nonJidMentions: 1 } : {}),
  };
  return {
    extendedTextMessage: {
      text,
      ...(linkPreview === undefined ? {} : previewFields(linkPreview)),
      ...(Object.keys(contextInfo).length === 0 ? {} : { contextInfo }),
    },
  };
}

function previewFields({
  url,
  title,
  description,
  thumbnail,
}: NonNullable<Text['linkPreview']>): proto.Message.IExtendedTextMessage {
  return {
    matchedText: url,
    title,
    previewType: proto.Message.ExtendedTextMessage.PreviewType.NONE,
    ...(description === undefined ? {} : { description }),
    ...(thumbnail === undefined ? {} : { jpegThumbnail: Buffer.from(thumbnail, 'base64') }),
  };
}
