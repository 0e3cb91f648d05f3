import { FencedError, isRedisUnreachable } from '@wafleet/store';

/**
 * Whether an error is of what is stored or written, so that the same read or write would fail in the same way again: a
 * record that is malformed or of another form, or a Redis key of another type. False for a refused fence, and for a
 * Redis that does not answer or refuses for the moment.
 */
export function isOfContent(error: unknown): boolean {
  if (error instanceof FencedError || isRedisUnreachable(error)) return false;
  if (error instanceof Error && error.name === 'ReplyError') return /\bWRONGTYPE\b/.test(error.message);
  return true;
}
