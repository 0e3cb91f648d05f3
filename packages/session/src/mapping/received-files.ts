import { MEDIA_TEXT_LIMITS, type MediaFile } from '@wafleet/contract';
import type { ReceivedFile } from '@wafleet/store';
import type { BaileysEventMap, proto, WAMessage } from '@whiskeysockets/baileys';

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

/** The fields of WhatsApp's schema that hold a file, and its kind. */
const FILE_FIELDS: Readonly<Record<string, MediaFile['kind']>> = {
  imageMessage: 'image',
  productImage: 'image',
  catalogImage: 'image',
  videoMessage: 'video',
  ptvMessage: 'video',
  audioMessage: 'audio',
  documentMessage: 'document',
  stickerMessage: 'sticker',
};

/** Fields with files that are not the message's own: those of messages that it quotes, edits or synchronises. */
const OF_OTHERS: ReadonlySet<string> = new Set(['contextInfo', 'messageContextInfo', 'protocolMessage']);

/** What a person sends nests less, and has fewer parts, than this. */
const MAX_DEPTH = 64;
const MAX_PARTS = 1_000;

/**
 * The file of a message, and its kind. Returns the least nested file: inside wrappers, at the head of a template or of
 * an interactive message, on its first card, or anywhere else in the schema.
 */
function fileIn(message: proto.IMessage): MediaFile | undefined {
  let level: object[] = [message];
  for (let depth = 0, parts = 0; level.length > 0 && depth < MAX_DEPTH; depth += 1) {
    const next: object[] = [];
    for (const part of level) {
      parts += 1;
      if (parts > MAX_PARTS) return undefined;
      for (const [field, inner] of Object.entries(part)) {
        if (typeof inner !== 'object' || inner === null || inner instanceof Uint8Array) continue;
        if (OF_OTHERS.has(field)) continue;
        const kind = Object.hasOwn(FILE_FIELDS, field) ? FILE_FIELDS[field] : undefined;
        const file = kind && toMediaFile(kind, inner);
        if (file) return file;
        next.push(inner);
      }
    }
    level = next;
  }
  return undefined;
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
  const file = fileIn(message);
  if (file === undefined) return undefined;
  return { key: { id, remoteJid, fromMe: fromMe === true, ...(participant ? { participant } : {}) }, file };
}

/**
 * What the messages among Baileys' events contain about their files: new messages, the account's own and those of the
 * history. A file that is not encrypted, as in channels, or that has no location is left out. An edited message keeps
 * its file: only captions can be edited.
 */
export function receivedFilesIn(events: Partial<BaileysEventMap>): ReceivedFile[] {
  const { 'messages.upsert': upsert, 'messaging-history.set': history } = events;
  return [...(upsert?.messages ?? []), ...(history?.messages ?? [])]
    .map(toReceivedFile)
    .filter((received) => received !== undefined);
}
