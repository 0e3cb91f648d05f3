import { WafleetError } from '@wafleet/contract';
import { PublicHttpError } from '@wafleet/egress';
import { MediaToolError } from '@wafleet/media-tools';

const RETRY_AFTER_MS = 5_000;

/**
 * The error of the registry that a client gets for what went wrong with a file. Other errors are unchanged.
 * @param limit how many bytes a file may have.
 */
export function fileError(error: unknown, limit: number): unknown {
  if (error instanceof MediaToolError) return ofTool(error, limit);
  if (error instanceof PublicHttpError) return ofFetch(error, limit);
  const isLate = error instanceof DOMException && error.name === 'TimeoutError';
  return isLate
    ? caused('UNAVAILABLE', 'To prepare the files took too long. Nothing was sent.', error)
    : error;
}

function tooLargeFile(limit: number, cause?: unknown): WafleetError {
  return caused('MEDIA_TOO_LARGE', `Files of more than ${limit} bytes are not taken.`, cause, { limit });
}

/** @param problem a word that programs can read. */
export function unreadable(problem: string, message: string, cause?: unknown): WafleetError {
  return caused('FILE_UNREADABLE', message, cause, { problem });
}

function ofTool(error: MediaToolError, limit: number): WafleetError {
  const { kind, message, tool, bound } = error;
  switch (kind) {
    case 'missing':
      return caused('CONVERTER_MISSING', message, error, { tool });
    case 'unreadable':
    case 'unsupported':
    case 'timeout':
      return unreadable(kind, message, error);
    case 'too-large':
      if (bound === 'bytes') return tooLargeFile(limit, error);
      return caused('FILE_UNREADABLE', message, error, { problem: kind, bound });
    case 'busy':
    case 'spool-full':
    case 'failed':
      return caused('UNAVAILABLE', message, error, { retryAfterMs: RETRY_AFTER_MS });
  }
}

function ofFetch(error: PublicHttpError, limit: number): WafleetError {
  if (error.kind === 'too-large') return tooLargeFile(limit, error);
  const { kind: problem, status } = error;
  const details = { problem, ...(status === undefined ? {} : { status }) };
  return caused('FILE_NOT_FETCHED', `The file could not be fetched. ${error.message}`, error, details);
}

function caused(
  code: WafleetError['code'],
  message: string,
  cause: unknown,
  details?: Readonly<Record<string, unknown>>,
): WafleetError {
  return new WafleetError(code, message, details, { cause });
}
