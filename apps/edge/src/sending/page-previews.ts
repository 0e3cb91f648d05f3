import type { Readable } from 'node:stream';
import { type GivenLinkPreview, MESSAGE_LIMITS } from '@wafleet/contract';
import { type PublicAnswer, type PublicHttp, parseUrl } from '@wafleet/egress';
import { readPageHead } from './page-head.js';

const MAX_PICTURE_BYTES = 5 * 1024 * 1024;
const PAGE_TYPES = /^(text\/html|application\/xhtml\+xml)\s*(;|$)/i;
const PICTURE_TYPES = /^image\//i;
/** Some pages say what they are to the apps of messengers alone. */
const USER_AGENT = 'WhatsApp/2';

/** Makes the thumbnail of a picture: a JPEG. @throws if it cannot. The picture is read or destroyed. */
export type MakeThumbnail = (
  picture: Readable,
  call: { readonly tenantId: string; readonly signal: AbortSignal; readonly maxBytes: number },
) => Promise<Buffer>;

/** The preview of a link, without the link. */
export type PagePreview = Omit<GivenLinkPreview, 'url'>;

interface PagePreviewsOptions {
  readonly http: Pick<PublicHttp, 'get'>;
  readonly makeThumbnail: MakeThumbnail;
}

/** Fetches pages, and makes previews of what they say of themselves. */
export class PagePreviews {
  readonly #options: PagePreviewsOptions;

  constructor(options: PagePreviewsOptions) {
    this.#options = options;
  }

  /**
   * Fetches a page and its picture. A preview without a picture is one, if the picture is not there in time or cannot be
   * read.
   * @param signal ends it. What there is by then is the result.
   * @returns undefined if the page is not HTML, or has no title.
   * @throws {PublicHttpError} if the page cannot be fetched; the signal's reason if there is nothing by then.
   */
  async fetch(
    url: string,
    call: { tenantId: string; signal: AbortSignal },
  ): Promise<PagePreview | undefined> {
    // Only the head of a page is read, however long the page is.
    const wanted = { accept: 'text/html,application/xhtml+xml', maxBytes: Number.POSITIVE_INFINITY };
    const answer = await this.#get(url, { ...wanted, ...call });
    const { contentType = '', body } = answer;
    if (!PAGE_TYPES.test(contentType)) {
      body.on('error', () => {}).destroy();
      return undefined;
    }
    const { title, description, image, base } = await readPageHead(body, contentType);
    const shownTitle = textOf(title, MESSAGE_LIMITS.previewTitleCharacters);
    if (shownTitle === '') return undefined;
    const shownDescription = textOf(description, MESSAGE_LIMITS.previewDescriptionCharacters);
    const thumbnail = await this.#thumbnail(addressOf(image, [base, answer.url]), call);
    return {
      title: shownTitle,
      ...(shownDescription === '' ? {} : { description: shownDescription }),
      ...(thumbnail === undefined ? {} : { thumbnail }),
    };
  }

  async #thumbnail(
    url: string | undefined,
    call: { tenantId: string; signal: AbortSignal },
  ): Promise<string | undefined> {
    if (url === undefined) return undefined;
    try {
      const bounded = { maxBytes: MAX_PICTURE_BYTES, ...call };
      const { contentType = '', body } = await this.#get(url, { accept: 'image/*', ...bounded });
      if (!PICTURE_TYPES.test(contentType)) {
        body.on('error', () => {}).destroy();
        return undefined;
      }
      const thumbnail = await this.#options.makeThumbnail(body, bounded);
      return thumbnail.length > MESSAGE_LIMITS.thumbnailBytes ? undefined : thumbnail.toString('base64');
    } catch {
      return undefined;
    }
  }

  #get(
    url: string,
    { accept, ...options }: { accept: string; maxBytes: number; signal: AbortSignal },
  ): Promise<PublicAnswer> {
    const { maxBytes, signal } = options;
    return this.#options.http.get(url, { headers: { accept, 'user-agent': USER_AGENT }, maxBytes, signal });
  }
}

/** A text of one line, cut to a length in UTF-16 units. */
function textOf(text: string | undefined, maxLength: number): string {
  const line = (text ?? '').replace(/[\s\p{Cc}]+/gu, ' ').trim();
  if (line.length <= maxLength) return line;
  // Half of a character is not left over.
  return `${line.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function addressOf(
  address: string | undefined,
  [base, page]: readonly [string | undefined, string],
): string | undefined {
  const from = base === undefined ? undefined : parseUrl(base, page);
  const trimmed = address?.trim() ?? '';
  return trimmed === '' ? undefined : parseUrl(trimmed, from ?? page)?.href;
}
