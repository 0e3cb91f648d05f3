import { withoutCredentials } from './redaction.js';

/** Maximum depth of nested objects and causes in a log entry. */
const DEEPEST = 5;

/** Never throws: a log line must not fail, whatever was thrown. */
function textOf(value: unknown): string {
  try {
    return withoutCredentials(String(value));
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/**
 * An error as logs show it, with named fields only: client libraries attach commands with their arguments and stanzas
 * with their content to errors, and those hold secrets. Accepts any value that can be thrown, and follows causes to a
 * bounded depth.
 */
export function loggableError(error: unknown): unknown {
  return loggableCause(error, 0);
}

function loggableCause(error: unknown, depth: number): unknown {
  if (!(error instanceof Error)) return { message: textOf(error) };
  return {
    type: error.name,
    message: textOf(error.message),
    ...('code' in error ? { code: error.code } : {}),
    ...(error.stack === undefined ? {} : { stack: withoutCredentials(error.stack) }),
    ...(error.cause === undefined || depth >= DEEPEST
      ? {}
      : { cause: loggableCause(error.cause, depth + 1) }),
  };
}

/**
 * The fields of an entry as logs show them, at any depth of plain objects and lists. Bytes, which may be keys, are
 * replaced by their number, and errors by the result of `loggableError`.
 * @param errorFields top-level fields with errors. They stay unchanged; the caller formats them.
 */
export function loggableFields(
  fields: Readonly<Record<string, unknown>>,
  errorFields: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      errorFields.includes(name) ? value : loggable(value, 1),
    ]),
  );
}

function loggable(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return loggableError(value);
  if (!Array.isArray(value) && !isPlain(value)) return value;
  if (depth > DEEPEST) return '[more]';
  if (Array.isArray(value)) return value.map((each) => loggable(each, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, loggable(each, depth + 1)]));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
