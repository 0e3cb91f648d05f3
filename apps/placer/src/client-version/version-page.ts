/** How long the page may take, and how much of it is read. WhatsApp's has about 1 MB. */
const PAGE_MS = 10_000;
const MAX_PAGE_BYTES = 8 * 1024 * 1024;
/** WhatsApp answers with the page to a browser that opens it, and with an error to other clients. */
const HEADERS = {
  'user-agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
  'sec-fetch-site': 'none',
};
/** The page has the number in a text of JSON, whose quotes are escaped. Clients report it in 32 bits. */
const REVISION = /\\?"client_revision\\?":\s*([1-9]\d{0,8}|[1-3]\d{9})\b/;
/** A number that begins at the end of one part of the page is found with the next part. */
const OVERLAP = 64;

/**
 * Returns the address of the page that names the newest version of WhatsApp Web: `/sw.js` on the host of the WhatsApp
 * server.
 */
export function versionPageOf(whatsappUrl: string): string {
  const { protocol, host } = new URL(whatsappUrl);
  return `${protocol === 'ws:' ? 'http' : 'https'}://${host}/sw.js`;
}

/**
 * Resolves to the version that the page names, such as `2.3000.1043857760`. Takes 10 s at most and reads 8 MB at most.
 * Redirects are not followed.
 * @throws {Error} if the page cannot be fetched in time, or names no version.
 */
export async function readNewestVersion(page: string, { timeoutMs = PAGE_MS } = {}): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetch(page, { headers: HEADERS, redirect: 'error', signal });
  try {
    if (!response.ok) throw new Error(`the page answered with the status ${response.status}`);
    const revision = await findRevision(response);
    if (revision === undefined) throw new Error('the page names no version');
    return `2.3000.${revision}`;
  } finally {
    // Also closes the connection if the rest of the page has not come yet.
    await response.body?.cancel().catch(() => {});
  }
}

async function findRevision({ body }: Response): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = '';
  const reader = body?.getReader();
  try {
    while (reader !== undefined && bytes <= MAX_PAGE_BYTES) {
      const { done, value } = await reader.read();
      if (done) return REVISION.exec(text)?.[1];
      bytes += value.byteLength;
      text += decoder.decode(value, { stream: true });
      const found = REVISION.exec(text);
      // Digits may follow in the next part.
      if (found?.[1] !== undefined && found.index + found[0].length < text.length) return found[1];
      text = text.slice(-OVERLAP);
    }
    return undefined;
  } finally {
    reader?.releaseLock();
  }
}
