import { FencedError, isRedisUnreachable } from '@wafleet/store';

/**
 * Whether an error is caused by the stored or written content, so that the same read or write would fail again: a
 * malformed record, a record of another form, or a Redis key of another type. False for a refused fence, and if Redis
 * does not answer or refuses temporarily.
 */
export function isOfContent(error: unknown): boolean {
  if (error instanceof FencedError || isRedisUnreachable(error)) return false;
  if (error instanceof Error && error.name === 'ReplyError') return /\bWRONGTYPE\b/.test(error.message);
  return true;
}
