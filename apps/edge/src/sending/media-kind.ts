import type { FileType, MediaFile } from '@wafleet/contract';

/** What WhatsApp encrypts a file of each type as. */
export const MEDIA_KINDS: Readonly<Record<FileType, MediaFile['kind']>> = {
  image: 'image',
  video: 'video',
  'video-note': 'video',
  gif: 'video',
  audio: 'audio',
  voice: 'audio',
  document: 'document',
  sticker: 'sticker',
};

/** The part of the media host's path for each kind (Baileys' MEDIA_PATH_MAP). */
export const UPLOAD_PATHS: Readonly<Record<MediaFile['kind'], string>> = {
  image: '/mms/image',
  video: '/mms/video',
  audio: '/mms/audio',
  document: '/mms/document',
  sticker: '/mms/image',
};
