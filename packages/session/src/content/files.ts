import {
  type SentFile,
  type SentFileContent,
  type SentFileContentOf,
  type UploadedMedia,
  WafleetError,
} from '@wafleet/contract';
import { type Fence, SealedValueError, type UploadBoxes } from '@wafleet/store';
import { proto } from '@whiskeysockets/baileys';
import { toJid } from './to-jid.js';

/** A content with one file. */
export type OneFileContent = Exclude<SentFileContent, { type: 'album' }>;

type Captioned = Pick<SentFileContentOf<'image'>, 'caption' | 'mentions'>;

/**
 * The file of a content.
 * @throws {WafleetError} UPLOAD_NOT_FOUND if it was sealed for another session, or with a key that is not used any more.
 */
function openFile(file: SentFile, { fence, uploads }: FileContext): UploadedMedia {
  if (!('sealed' in file)) return file;
  try {
    return uploads.open(fence, file.uploadId, file.sealed);
  } catch (error) {
    if (!(error instanceof SealedValueError)) throw error;
    throw new WafleetError('UPLOAD_NOT_FOUND', 'The upload cannot be read any more. Upload the file again.');
  }
}

/** What the builders of contents with files use of a session. */
export interface FileContext {
  readonly fence: Fence;
  readonly uploads: UploadBoxes;
}

/**
 * A content with a file, without its wrapper.
 * @throws {WafleetError} UPLOAD_NOT_FOUND.
 */
export function fileContent(content: OneFileContent, context: FileContext): proto.IMessage {
  const file = openFile(content.file, context);
  switch (content.type) {
    case 'image':
      return { imageMessage: { ...visible(file), ...captionOf(content), ...onceOf(content) } };
    case 'video':
      return { videoMessage: { ...moving(file), ...captionOf(content), ...onceOf(content) } };
    case 'gif':
      return {
        videoMessage: {
          ...moving(file),
          ...captionOf(content),
          gifPlayback: true,
          gifAttribution: proto.Message.VideoMessage.Attribution.NONE,
        },
      };
    case 'video-note':
      return { ptvMessage: moving(file) };
    case 'audio':
      return { audioMessage: { ...common(file), ...lengthOf(file), ptt: false } };
    case 'voice':
      return {
        audioMessage: {
          ...common(file),
          ...lengthOf(file),
          ptt: true,
          ...waveformOf(file),
          ...onceOf(content),
        },
      };
    case 'document': {
      const { fileName = 'file', mimetype = file.mimetype } = content;
      return {
        documentMessage: { ...common(file), ...captionOf(content), mimetype, fileName, title: fileName },
      };
    }
    case 'sticker':
      return { stickerMessage: { ...common(file), ...sizeOf(file), isAnimated: file.isAnimated ?? false } };
  }
}

/** The wrapper in which phones expect some contents. It goes around what the content answers, too. */
export function wrapped(content: OneFileContent, message: proto.IMessage): proto.IMessage {
  if ('viewOnce' in content && content.viewOnce === true) {
    return content.type === 'voice'
      ? { viewOnceMessageV2Extension: { message } }
      : { viewOnceMessageV2: { message } };
  }
  if (content.type === 'document' && content.caption !== undefined) {
    return { documentWithCaptionMessage: { message } };
  }
  return message;
}

function common(file: UploadedMedia) {
  return {
    ...(file.url === undefined ? {} : { url: file.url }),
    directPath: file.directPath,
    mediaKey: bytes(file.mediaKey),
    mediaKeyTimestamp: file.keyMadeAt,
    fileSha256: bytes(file.sha256),
    fileEncSha256: bytes(file.encryptedSha256),
    fileLength: file.length,
    mimetype: file.mimetype,
  };
}

function sizeOf({ width, height }: UploadedMedia) {
  return { ...(width === undefined ? {} : { width }), ...(height === undefined ? {} : { height }) };
}

function lengthOf({ seconds }: UploadedMedia) {
  return seconds === undefined ? {} : { seconds };
}

function visible(file: UploadedMedia) {
  const { thumbnail } = file;
  return {
    ...common(file),
    ...sizeOf(file),
    ...(thumbnail === undefined ? {} : { jpegThumbnail: bytes(thumbnail) }),
  };
}

function moving(file: UploadedMedia) {
  return { ...visible(file), ...lengthOf(file) };
}

function waveformOf({ waveform }: UploadedMedia) {
  return waveform === undefined ? {} : { waveform: bytes(waveform) };
}

function captionOf({ caption, mentions }: Captioned) {
  return {
    ...(caption === undefined ? {} : { caption }),
    ...(mentions === undefined ? {} : { contextInfo: { mentionedJid: mentions.map(toJid) } }),
  };
}

function onceOf({ viewOnce }: { readonly viewOnce?: boolean | undefined }) {
  return viewOnce === true ? { viewOnce: true } : {};
}

function bytes(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}
