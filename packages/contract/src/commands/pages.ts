import { z } from 'zod';

/** One page of a list. */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z
      .string()
      .optional()
      .describe('What the next page is asked for with; absent on the last page'),
  });
}

/** The `nextCursor` of a page, in a request. */
export const cursorSchema = z
  .string()
  .min(1)
  .max(200)
  .optional()
  .describe('The `nextCursor` of the page before');

/** How many items a page of a list has that the administrator reads: the default and the maximum. */
const ADMIN_PAGE = { byDefault: 100, max: 500 } as const;

/** The fields of a query that every list of the administrator takes. */
export const adminPageFields = {
  limit: z.coerce
    .number<number | string>()
    .int()
    .min(1)
    .max(ADMIN_PAGE.max)
    .default(ADMIN_PAGE.byDefault)
    .describe('How many items at most. A page may have fewer, even none, while there is a next one'),
  cursor: cursorSchema,
};

/** A part of a name, in a query. */
export const nameFilterSchema = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .optional()
  .describe('Only those whose name contains this, in any case');
