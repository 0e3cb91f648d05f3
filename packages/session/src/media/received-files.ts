import { MEDIA_TEXT_LIMITS, type MediaFile, type ReceivedFile } from '@wafleet/store';
import {
  type BaileysEventMap,
  extractMessageContent,
  type proto,
  type WAMessage,
} from '@whiskeysockets/baileys';

const MEDIA_KEY_BYTES = 32;
/** Ids are made of some 20 characters; a REST path has no place for one that is longer than this. */
const MAX_ID_LENGTH = 255;

/** What the file messages of all kinds have in common. */
interface FileContent {
  readonly mimetype?: string | null;
  readonly fileName?: string | null;
  readonly fileLength?: number | { toString(): string } | null;
  readonly directPath?: string | null;
  readonly mediaKey?: Uint8Array | null;
  readonly fileSha256?: Uint8Array | null;
  readonly fileEncSha256?: Uint8Array | null;
}

/** The file of a message, inside whatever it is wrapped in, and its kind. */
function fileIn(message: proto.IMessage): [MediaFile['kind'], FileContent] | undefined {
  const content = extractMessageContent(message);
  if (content?.imageMessage) return ['image', content.imageMessage];
  if (content?.videoMessage) return ['video', content.videoMessage];
  if (content?.ptvMessage) return ['video', content.ptvMessage];
  if (content?.audioMessage) return ['audio', content.audioMessage];
  if (content?.documentMessage) return ['document', content.documentMessage];
  const sticker = content?.stickerMessage ?? content?.lottieStickerMessage?.message?.stickerMessage;
  return sticker ? ['sticker', sticker] : undefined;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function toMediaFile(kind: MediaFile['kind'], content: FileContent): MediaFile | undefined {
  const { mimetype, fileName, fileLength, directPath, mediaKey, fileSha256, fileEncSha256 } = content;
  if (mediaKey?.length !== MEDIA_KEY_BYTES) return undefined;
  if (!directPath || directPath.length > MEDIA_TEXT_LIMITS.directPath) return undefined;
  const length = fileLength ? Number(String(fileLength)) : 0;
  return {
    kind,
    mimetype: (mimetype ?? '').slice(0, MEDIA_TEXT_LIMITS.mimetype),
    ...(fileName ? { fileName: fileName.slice(0, MEDIA_TEXT_LIMITS.fileName) } : {}),
    ...(Number.isSafeInteger(length) && length > 0 ? { length } : {}),
    directPath,
    mediaKey: base64(mediaKey),
    ...(fileSha256?.length ? { sha256: base64(fileSha256) } : {}),
    ...(fileEncSha256?.length ? { encryptedSha256: base64(fileEncSha256) } : {}),
  };
}

function toReceivedFile({ key, message }: WAMessage): ReceivedFile | undefined {
  const { id, remoteJid, fromMe, participant } = key;
  if (!message || !id || id.length > MAX_ID_LENGTH || !remoteJid) return undefined;
  const [kind, content] = fileIn(message) ?? [];
  if (kind === undefined || content === undefined) return undefined;
  const file = toMediaFile(kind, content);
  if (file === undefined) return undefined;
  return { key: { id, remoteJid, fromMe: fromMe === true, ...(participant ? { participant } : {}) }, file };
}

/**
 * What the messages among Baileys' events say of their files: new ones, the account's own and those of the history. A
 * file that is not encrypted, as those of channels, or lies nowhere, is none. The file of an edited message is that of
 * the message itself: only captions can be edited.
 */
export function receivedFilesIn(events: Partial<BaileysEventMap>): ReceivedFile[] {
  const { 'messages.upsert': upsert, 'messaging-history.set': history } = events;
  return [...(upsert?.messages ?? []), ...(history?.messages ?? [])]
    .map(toReceivedFile)
    .filter((received) => received !== undefined);
}
