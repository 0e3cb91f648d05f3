import { type MediaTools, SpoolFile, type SpoolOptions } from '@wafleet/media-tools';
import type { MakeThumbnail } from './page-previews.js';

/** Makes thumbnails in a child process, of a picture that is on disk without a name meanwhile. */
export function linkThumbnails(
  tools: Pick<MediaTools, 'toLinkThumbnail'>,
  spool: SpoolOptions,
): MakeThumbnail {
  return async (picture, { tenantId, signal, maxBytes }) => {
    let file: SpoolFile | undefined;
    try {
      file = await SpoolFile.open(spool);
      await file.write(picture, { maxBytes, signal });
      return await tools.toLinkThumbnail(file, { tenantId, signal });
    } finally {
      picture.on('error', () => {}).destroy();
      await file?.close();
    }
  };
}
