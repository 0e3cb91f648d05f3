/** Names one request, in its answer and in all logs. */
export const REQUEST_ID_HEADER = 'request-id';

const REQUEST_ID = /^[\w.~+=-]{1,128}$/;

/**
 * Whether a caller's own id of a request is used: 1 to 128 letters, digits, `_`, `-`, `.`, `~`, `+` and `=`. Any other
 * one is replaced.
 */
export function isRequestId(text: string): boolean {
  return REQUEST_ID.test(text);
}
