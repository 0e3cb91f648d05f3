import type { GivenLinkPreview, MessageContent } from '@wafleet/contract';
import { PublicHttpError } from '@wafleet/egress';
import type { Logger } from '@wafleet/runtime';
import { LRUCache } from 'lru-cache';
import { firstLink } from './first-link.js';
import type { PagePreview, PagePreviews } from './page-previews.js';

/** How long a message waits for its preview. */
export const LINK_PREVIEW_MS = 5_000;
/** Previews that are fetched at a time. Further messages go without. */
const AT_ONCE = 50;
const AT_ONCE_OF_TENANT = 10;

const CACHE_BYTES = 8 * 1024 * 1024;
const KEEP_MS = 10 * 60_000;
/** A page that failed may be there again soon; a message to a thousand people should not wait a thousand times. */
const KEEP_FAILURE_MS = 60_000;

export interface FilledContent {
  /** The content as workers take it. */
  readonly content: MessageContent | undefined;
  /** Whether it has the preview that was to be fetched; undefined if none was. */
  readonly linkPreview: boolean | undefined;
}

interface LinkPreviewsOptions {
  readonly pages: Pick<PagePreviews, 'fetch'>;
  readonly logger: Pick<Logger, 'debug'>;
  /** Default: 5 s. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Fetches the previews that messages ask for. Pages are fetched directly and never through a session's proxy. Previews are
 * kept for ten minutes for their tenant, failures for one.
 */
export class LinkPreviews {
  readonly #options: LinkPreviewsOptions;
  readonly #kept = new LRUCache<string, { readonly preview: PagePreview | undefined }>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ preview }, key) => 2 * key.length + 2 * JSON.stringify(preview ?? {}).length + 200,
  });
  /** Messages with the same link share a fetch. */
  readonly #underWay = new Map<string, Promise<PagePreview | undefined>>();
  readonly #ofTenants = new Map<string, number>();

  constructor(options: LinkPreviewsOptions) {
    this.#options = options;
  }

  /**
   * Fills in the preview that a text asks for. A page that cannot be fetched within the time limit, or has no title,
   * leaves the text without one. Never rejects.
   */
  async fill(tenantId: string, content: MessageContent | undefined): Promise<FilledContent> {
    if (content?.type !== 'text') return { content, linkPreview: undefined };
    const { linkPreview, ...rest } = content;
    if (linkPreview === undefined || (linkPreview !== true && linkPreview.title !== undefined)) {
      return { content, linkPreview: undefined };
    }
    const url = linkPreview === true ? firstLink(content.text) : linkPreview.url;
    const found = url === undefined ? undefined : await this.#find(tenantId, url);
    if (url === undefined || found === undefined) return { content: rest, linkPreview: false };
    const filled: GivenLinkPreview = { url, ...found };
    return { content: { ...rest, linkPreview: filled }, linkPreview: true };
  }

  async #find(tenantId: string, url: string): Promise<PagePreview | undefined> {
    const key = `${tenantId} ${url}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept.preview;
    const shared = this.#underWay.get(key);
    if (shared !== undefined) return shared;
    const ofTenant = this.#ofTenants.get(tenantId) ?? 0;
    if (this.#underWay.size >= AT_ONCE || ofTenant >= AT_ONCE_OF_TENANT) return undefined;
    this.#ofTenants.set(tenantId, ofTenant + 1);
    const fetching = this.#fetch(tenantId, url).then((preview) => {
      this.#kept.set(key, { preview }, { ttl: preview === undefined ? KEEP_FAILURE_MS : KEEP_MS });
      this.#underWay.delete(key);
      this.#leave(tenantId);
      return preview;
    });
    this.#underWay.set(key, fetching);
    return fetching;
  }

  async #fetch(tenantId: string, url: string): Promise<PagePreview | undefined> {
    const { pages, logger, timeoutMs = LINK_PREVIEW_MS } = this.#options;
    try {
      return await pages.fetch(url, { tenantId, signal: AbortSignal.timeout(timeoutMs) });
    } catch (error) {
      // The address may have secrets, and is the client's.
      const why = error instanceof PublicHttpError ? error.kind : 'timeout';
      logger.debug({ tenantId, why }, 'a link preview could not be fetched');
      return undefined;
    }
  }

  #leave(tenantId: string): void {
    const left = (this.#ofTenants.get(tenantId) ?? 1) - 1;
    if (left === 0) this.#ofTenants.delete(tenantId);
    else this.#ofTenants.set(tenantId, left);
  }
}
