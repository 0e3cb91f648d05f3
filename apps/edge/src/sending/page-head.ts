import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { Parser } from 'htmlparser2';

/** What a page says of itself, as it says it: of any length. */
export interface PageHead {
  readonly title?: string;
  readonly description?: string;
  /** The address of a picture, relative to `base` if there is one, or to the page. */
  readonly image?: string;
  readonly base?: string;
}

/** How much of a page is read. What pages say of themselves is at their beginning. */
const MAX_BYTES = 512 * 1024;
/** A page names its encoding within its first kilobyte (https://html.spec.whatwg.org/#determining-the-character-encoding). */
const SNIFFED_BYTES = 1_024;
/** The parser looks through the open elements at each end tag. Heads of pages are not nested. */
const MAX_DEPTH = 64;

/** In the order in which they are preferred. */
const TITLES = ['og:title', 'twitter:title'];
const DESCRIPTIONS = ['og:description', 'twitter:description', 'description'];
const IMAGES = ['og:image:secure_url', 'og:image', 'og:image:url', 'twitter:image', 'twitter:image:src'];
const NAMES: ReadonlySet<string> = new Set([...TITLES, ...DESCRIPTIONS, ...IMAGES]);

/**
 * Reads the head of an HTML page: up to its end, or up to 512 KiB. The stream is destroyed afterwards.
 * @param contentType of the answer.
 * @throws what the stream fails with.
 */
export async function readPageHead(page: Readable, contentType: string): Promise<PageHead> {
  const head = new HeadParser();
  let start: Buffer | undefined = Buffer.alloc(0);
  let decoder: TextDecoder | undefined;
  let left = MAX_BYTES;
  for await (const bytes of page) {
    let chunk: Buffer = bytes.subarray(0, left);
    left -= chunk.length;
    if (start !== undefined) {
      start = Buffer.concat([start, chunk]);
      if (start.length < SNIFFED_BYTES && left > 0) continue;
      chunk = start;
      start = undefined;
    }
    decoder ??= decoderOf(chunk, contentType);
    head.write(decoder.decode(chunk, { stream: true }));
    if (head.isComplete || left === 0) break;
  }
  if (start !== undefined) head.write(decoderOf(start, contentType).decode(start));
  return head.read();
}

function decoderOf(start: Buffer, contentType: string): TextDecoder {
  const [, declared] = /;\s*charset\s*=\s*["']?([^\s"';]+)/i.exec(contentType) ?? [];
  const sniffed = start.toString('latin1', 0, SNIFFED_BYTES);
  const [, inPage] = /<meta\b[^>]*?\bcharset\s*=\s*["']?([^\s"'/>;]+)/i.exec(sniffed) ?? [];
  for (const label of [byteOrderOf(start), declared, inPage]) {
    const decoder = label === undefined ? undefined : decoderFor(label);
    if (decoder !== undefined) return decoder;
  }
  return new TextDecoder();
}

function byteOrderOf(start: Buffer): string | undefined {
  const mark = start.toString('hex', 0, 3);
  if (mark === 'efbbbf') return 'utf-8';
  if (mark.startsWith('feff')) return 'utf-16be';
  return mark.startsWith('fffe') ? 'utf-16le' : undefined;
}

function decoderFor(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label);
  } catch {
    return undefined;
  }
}

/** Collects what a head has. Of each name the first one counts. */
class HeadParser {
  /** Nothing that follows is needed. */
  isComplete = false;
  readonly #found = new Map<string, string>();
  #title: string | undefined;
  #base: string | undefined;
  #isInTitle = false;
  #depth = 0;
  readonly #parser = new Parser({
    onopentag: (name, attributes) => this.#open(name, attributes),
    ontext: (text) => {
      if (this.#isInTitle) this.#title += text;
    },
    // Also called for elements that have no end tag.
    onclosetag: (name) => this.#close(name),
  });

  write(html: string): void {
    this.#parser.write(html);
  }

  read(): PageHead {
    const first = (names: readonly string[]) => names.map((name) => this.#found.get(name)).find(isFilled);
    const title = first(TITLES) ?? this.#title;
    const description = first(DESCRIPTIONS);
    const image = first(IMAGES);
    return {
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description }),
      ...(image === undefined ? {} : { image }),
      ...(this.#base === undefined ? {} : { base: this.#base }),
    };
  }

  #open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#depth += 1;
    if (name === 'meta') this.#addMeta(attributes);
    else if (name === 'base') this.#base ??= attributes.href;
    else if (name === 'title' && this.#title === undefined) {
      this.#title = '';
      this.#isInTitle = true;
    }
    if ((name === 'body' && this.#hasTitle) || this.#depth > MAX_DEPTH) this.#end();
  }

  #close(name: string): void {
    this.#depth -= 1;
    if (name === 'title') this.#isInTitle = false;
    if (name === 'head' && this.#hasTitle) this.#end();
  }

  /** Pages without a head in its place may have one further down. */
  get #hasTitle(): boolean {
    return this.#found.has('og:title') || this.#title !== undefined;
  }

  #addMeta({ property, name, content }: Readonly<Record<string, string>>): void {
    for (const each of [property, name]) {
      const key = each?.trim().toLowerCase();
      if (key === undefined || content === undefined || !NAMES.has(key) || this.#found.has(key)) continue;
      this.#found.set(key, content);
    }
  }

  #end(): void {
    this.isComplete = true;
    this.#parser.pause();
  }
}

function isFilled(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== '';
}
