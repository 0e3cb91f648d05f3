/** A reply on the bus has at most 256 KiB. */
const PAGE_BYTES = 200 * 1024;

interface PageRequest {
  readonly limit: number;
  /** The id of the last item of the page before. */
  readonly cursor?: string | undefined;
}

interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor?: string;
}

/**
 * The items after the cursor, in the order of their ids: at most `limit` of them and 200 KiB as JSON, but one in any
 * case. An item that comes or goes between two pages neither repeats nor hides another one.
 */
export function pageOf<Item extends { readonly id: string }>(
  all: readonly Item[],
  { limit, cursor }: PageRequest,
): Page<Item> {
  const after = all
    .filter(({ id }) => cursor === undefined || id > cursor)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const items: Item[] = [];
  let bytes = 0;
  for (const item of after.slice(0, limit)) {
    bytes += Buffer.byteLength(JSON.stringify(item));
    if (bytes > PAGE_BYTES && items.length > 0) break;
    items.push(item);
  }
  const last = items.at(-1);
  return last === undefined || items.length === after.length ? { items } : { items, nextCursor: last.id };
}
