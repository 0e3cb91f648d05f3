import { z } from 'zod';

type Check<Schema extends z.ZodType> = (value: z.input<Schema>, context: z.core.$RefinementCtx) => unknown;

/** Checks a value before the schema reads it, and leaves it out of the reading if that adds an issue. */
function checkedFirst<Schema extends z.ZodType>(schema: Schema, check: Check<Schema>) {
  return z.preprocess((value: z.input<Schema>, context) => {
    check(value, context);
    return value;
  }, schema);
}

/**
 * A list of 1 to `max` items. Only the first invalid one is reported: those of thousands of items would take an edge
 * seconds and a large answer.
 */
export function checkedList<Item extends z.ZodType>(item: Item, max: number) {
  const list = z.array(item).min(1).max(max);
  return checkedFirst(list, (value, context) => {
    if (!Array.isArray(value) || value.length > max) return;
    for (const [index, each] of value.entries()) {
      const { error } = item.safeParse(each);
      if (error === undefined) continue;
      for (const issue of error.issues) {
        context.addIssue({ code: 'custom', message: issue.message, path: [index, ...issue.path] });
      }
      return;
    }
  });
}

/** A record of up to `max` fields. With more it is not read, which would take seconds. */
export function smallRecord<Name extends z.ZodString, Value extends z.ZodType>(
  name: Name,
  value: Value,
  max: number,
) {
  return checkedFirst(z.record(name, value), (given, context) => {
    if (typeof given !== 'object' || given === null || Object.keys(given).length <= max) return;
    context.addIssue({ code: 'custom', message: `Too big: expected record to have <=${max} fields` });
  });
}
