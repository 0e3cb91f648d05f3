import { withoutCredentials } from './redaction.js';

/** Objects in objects deeper than that are no fields of a log entry. */
const DEEPEST = 5;

/** Never throws: whatever was thrown, a log line must not fail because of it. */
function textOf(value: unknown): string {
  try {
    return withoutCredentials(String(value));
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/**
 * An error as logs show it. Only named fields: client libraries hang commands with their arguments on errors, and
 * stanzas with what is in them, and those hold secrets. Takes whatever can be thrown, and follows causes to a bounded depth.
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
 * The fields of an entry as logs show them: of bytes, which is what keys are, only how many there are, and of errors
 * what `loggableError` leaves, wherever in plain objects and lists they stand.
 * @param errorFields at the top; their errors are left for whoever shows these.
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
