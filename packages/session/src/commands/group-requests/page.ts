import { WafleetError } from '@wafleet/contract';

/** A reply on the bus has at most 256 KiB. */
const PAGE_BYTES = 200 * 1024;

/** The ids of groups and people. */
const CURSOR = /^[\w:-]{1,60}@[a-z][a-z.]{1,30}$/;

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
 * @throws {WafleetError} VALIDATION_FAILED if the cursor does not have the form of an id.
 */
export function pageOf<Item extends { readonly id: string }>(
  all: readonly Item[],
  { limit, cursor }: PageRequest,
): Page<Item> {
  checkCursor(cursor);
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

/**
 * Refuses what cannot be the `nextCursor` of a page: the id of its last item.
 * @throws {WafleetError} VALIDATION_FAILED
 */
export function checkCursor(cursor: string | undefined): void {
  if (cursor === undefined || CURSOR.test(cursor)) return;
  throw new WafleetError('VALIDATION_FAILED', 'The cursor is not one of this service.', {
    issues: [{ path: 'querystring.cursor', message: 'is not the nextCursor of an earlier page' }],
  });
}
