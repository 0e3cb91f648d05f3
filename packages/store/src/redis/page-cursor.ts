import { WafleetError } from '@wafleet/contract';

/** Where a page of a list ended: the place of its last item in the order of the list. */
export interface Place {
  /** A number in digits, often a time, ms. */
  readonly at: string;
  /** Tells apart the items of the same number. */
  readonly id: string;
}

/** Clients send it back as they got it. It has no meaning for them, and nothing is stored for it. */
export function formatCursor({ at, id }: Place): string {
  return Buffer.from(`${at} ${id}`).toString('base64url');
}

/**
 * @param idPattern what an id of the list looks like. Default: any text.
 * @throws {WafleetError} VALIDATION_FAILED if the cursor does not have the form of those that `formatCursor` makes.
 */
export function parseCursor(cursor: string, idPattern = /^/): Place {
  const [, at, id] = /^(\d{1,16}) (.+)$/s.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (at === undefined || id === undefined || !idPattern.test(id)) {
    throw new WafleetError('VALIDATION_FAILED', 'The cursor is not one of this service.', {
      issues: [{ path: 'querystring.cursor', message: 'is not the nextCursor of an earlier page' }],
    });
  }
  return { at, id };
}
