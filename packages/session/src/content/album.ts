import { createHash } from 'node:crypto';
import type { SentFileContentOf } from '@wafleet/contract';
import { proto } from '@whiskeysockets/baileys';
import { inContext } from './context-info.js';
import { type FileContext, fileContent } from './files.js';

const { MEDIA_ALBUM } = proto.MessageAssociation.AssociationType;

/** A message of an album. */
interface AlbumPart {
  readonly messageId: string;
  readonly content: proto.IMessage;
}

/**
 * The id of an item. It comes from that of the album, so that an album that is sent again has the same items.
 * @param index of the item, from 0.
 */
function itemIdOf(messageId: string, index: number): string {
  const digest = createHash('sha256').update(`album ${messageId} ${index}`).digest();
  return `3EB0${digest.toString('hex', 0, 9).toUpperCase()}`;
}

/**
 * The messages of an album: the one that says how many items there are, and then the items, which refer to it.
 * @param parent the key of the first one.
 * @param context.contextInfo what the album answers, and when it disappears.
 * @throws {WafleetError} UPLOAD_NOT_FOUND.
 */
export function albumParts(
  { items }: SentFileContentOf<'album'>,
  parent: { readonly remoteJid: string; readonly id: string },
  context: FileContext & { readonly contextInfo: proto.IContextInfo },
): [AlbumPart, ...AlbumPart[]] {
  const countOf = (wanted: string) => items.filter(({ type }) => type === wanted).length;
  const { contextInfo } = context;
  const head = {
    albumMessage: {
      expectedImageCount: countOf('image'),
      expectedVideoCount: countOf('video'),
      ...(Object.keys(contextInfo).length === 0 ? {} : { contextInfo }),
    },
  };
  // An album answers as a whole, but disappears item by item.
  const ofItem = contextInfo.expiration == null ? {} : { expiration: contextInfo.expiration };
  const messageAssociation = {
    associationType: MEDIA_ALBUM,
    parentMessageKey: { ...parent, fromMe: true },
  };
  return [
    { messageId: parent.id, content: head },
    ...items.map((item, index) => ({
      messageId: itemIdOf(parent.id, index),
      content: {
        ...inContext(fileContent(item, context), ofItem),
        messageContextInfo: { messageAssociation },
      },
    })),
  ];
}
