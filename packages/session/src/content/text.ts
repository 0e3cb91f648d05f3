import type { ContentOf } from '@wafleet/contract';
import { proto } from '@whiskeysockets/baileys';
import { toJid } from './to-jid.js';

/** The text of a message or of an edit. */
type Text = Pick<ContentOf<'text'>, 'text' | 'mentions' | 'mentionAll' | 'linkPreview'>;

/** A text, with the preview that it was given. Edges fetch the others, and give them to the worker. */
export function textContent({ text, mentions, mentionAll, linkPreview }: Text): proto.IMessage {
  const contextInfo = {
    ...(mentions === undefined ? {} : { mentionedJid: mentions.map(toJid) }),
    ...(mentionAll === true ? { nonJidMentions: 1 } : {}),
  };
  return {
    extendedTextMessage: {
      text,
      ...previewFields(linkPreview),
      ...(Object.keys(contextInfo).length === 0 ? {} : { contextInfo }),
    },
  };
}

function previewFields(linkPreview: Text['linkPreview']): proto.Message.IExtendedTextMessage {
  // Edges fetch it, or leave it out.
  if (linkPreview === undefined || linkPreview === true || linkPreview.title === undefined) return {};
  const { url, title, description, thumbnail } = linkPreview;
  return {
    matchedText: url,
    title,
    previewType: proto.Message.ExtendedTextMessage.PreviewType.NONE,
    ...(description === undefined ? {} : { description }),
    ...(thumbnail === undefined ? {} : { jpegThumbnail: Buffer.from(thumbnail, 'base64') }),
  };
}
