/** An object of JSON whose fields are not checked yet. */
export type UncheckedFields = Readonly<Record<string, unknown>>;

/** Whether the value is an object whose fields can be read. */
export function isFields(value: unknown): value is UncheckedFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether the value is a string of at most `longest` UTF-16 units. */
export function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length <= longest;
}
