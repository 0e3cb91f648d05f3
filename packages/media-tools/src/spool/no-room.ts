import { MediaToolError } from '../errors/media-tool-error.js';

/** The disk of the spool is full: it is smaller than the budget, or others use it too. */
export function noRoom(): MediaToolError {
  return new MediaToolError('spool-full', 'The disk for files has no room now. Try again later.');
}

/** @returns the error to throw for one of the system about a spool file. */
export function spoolError(error: unknown): unknown {
  const isFull =
    error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  return isFull ? noRoom() : error;
}
