import type { UploadedMedia } from '@wafleet/contract';
import { encryptMedia, type MediaKind, type Simulator } from '@wafleet/simulator';

/** A file that is on the media host, as an edge has uploaded it. */
export async function uploadedFile(
  simulator: Simulator,
  data: Buffer,
  kind: MediaKind,
  about: Partial<UploadedMedia> = {},
): Promise<UploadedMedia> {
  const { blob, mediaKey, fileSha256, fileEncSha256, fileLength } = await encryptMedia(data, kind);
  return {
    directPath: simulator.media.put(blob),
    mediaKey: base64(mediaKey),
    sha256: base64(fileSha256),
    encryptedSha256: base64(fileEncSha256),
    length: fileLength,
    mimetype: 'image/jpeg',
    keyMadeAt: 1_790_000_000,
    ...about,
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
