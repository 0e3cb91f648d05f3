import { normalizeMessageContent, type proto } from '@whiskeysockets/baileys';
import { unixSeconds } from '../unix-seconds.js';
import { decryptMedia, encryptMedia, MediaIntegrityError } from './encryption.js';
import type { MediaStore } from './media-store.js';

/** The kinds of files that people send. */
export type MediaKind = 'image' | 'video' | 'audio' | 'document' | 'sticker';

/** A file as a person sends it. */
export interface MediaContent {
  readonly kind: MediaKind;
  readonly data: Buffer;
  /** Default: `image/jpeg`, `video/mp4`, `audio/ogg; codecs=opus`, `application/octet-stream` or `image/webp`. */
  readonly mimetype?: string;
  /** Images, videos and documents. */
  readonly caption?: string;
  /** Documents. */
  readonly fileName?: string;
  /** Audio: a voice message. */
  readonly voice?: boolean;
}

const mimetypes: Readonly<Record<MediaKind, string>> = {
  image: 'image/jpeg',
  video: 'video/mp4',
  audio: 'audio/ogg; codecs=opus',
  document: 'application/octet-stream',
  sticker: 'image/webp',
};

/** The contents that have a file, and what its keys are derived for. */
const FIELDS = [
  ['imageMessage', 'image'],
  ['videoMessage', 'video'],
  ['ptvMessage', 'video'],
  ['audioMessage', 'audio'],
  ['documentMessage', 'document'],
  ['stickerMessage', 'sticker'],
] as const;

/** The media host, as phones use it. */
export interface MediaHost {
  readonly media: MediaStore;
  /** `host:port` */
  readonly host: string;
}

/** Uploads a file to the media host, encrypted, and builds the message with which recipients open it. */
export async function mediaMessage(
  { media, host }: MediaHost,
  content: MediaContent,
): Promise<proto.IMessage> {
  const { kind, data, mimetype = mimetypes[kind], caption } = content;
  const { blob, ...file } = await encryptMedia(data, kind);
  const directPath = media.put(blob);
  const common = {
    ...file,
    url: `https://${host}${directPath}`,
    directPath,
    mimetype,
    mediaKeyTimestamp: unixSeconds(),
  };
  const text = caption === undefined ? {} : { caption };
  switch (kind) {
    case 'image':
      return { imageMessage: { ...common, ...text } };
    case 'video':
      return { videoMessage: { ...common, ...text } };
    case 'audio':
      return { audioMessage: { ...common, ptt: content.voice ?? false } };
    case 'document':
      return { documentMessage: { ...common, ...text, fileName: content.fileName ?? 'file' } };
    case 'sticker':
      return { stickerMessage: common };
  }
}

/**
 * The file of a media message, fetched from the media host and decrypted.
 * @throws MediaIntegrityError if the message has no file, or if the file is gone or damaged.
 */
export async function openMedia(
  { media }: Pick<MediaHost, 'media'>,
  message: proto.IMessage,
): Promise<Buffer> {
  const content = normalizeMessageContent(message);
  for (const [field, kind] of FIELDS) {
    const file = content?.[field];
    const blob = media.get(file?.directPath ?? '');
    if (blob && file?.mediaKey) return decryptMedia(blob, file.mediaKey, kind);
  }
  throw new MediaIntegrityError('The message has no file that the media host knows');
}
