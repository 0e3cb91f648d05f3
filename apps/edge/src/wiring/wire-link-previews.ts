import type { PublicHttp } from '@wafleet/egress';
import type { MediaTools, SpoolOptions } from '@wafleet/media-tools';
import type { Logger } from '@wafleet/runtime';
import { LinkPreviews } from '../sending/link-preview.js';
import { linkThumbnails } from '../sending/link-thumbnail.js';
import { PagePreviews } from '../sending/page-previews.js';

interface LinkPreviewParts {
  readonly http: PublicHttp;
  readonly tools: MediaTools;
  /** Where pictures are while their thumbnails are made. */
  readonly spool: SpoolOptions;
  readonly logger: Logger;
  /** How long a message waits for its preview, in ms. Default: 5,000. */
  readonly timeoutMs?: number | undefined;
}

/** Fetches the previews of links. */
export function wireLinkPreviews({ http, tools, spool, logger, timeoutMs }: LinkPreviewParts): LinkPreviews {
  const pages = new PagePreviews({ http, makeThumbnail: linkThumbnails(tools, spool) });
  return new LinkPreviews({ pages, logger, timeoutMs });
}
