/**
 * Why a file was not described or converted.
 * - `missing`: the program is not installed. `tool` names it; the message says what to do.
 * - `unreadable`: the file is not of the kind that was asked for, or it is damaged.
 * - `unsupported`: the file's format is known, but nothing here can read it, such as HEIC.
 * - `too-large`: the file, or what it would become, is over a bound. `bound` names it.
 * - `timeout`: the work took longer than it may.
 * - `busy`: too many files wait for a turn. Retryable.
 * - `spool-full`: the files under way fill the spool directory, or its disk is full. Retryable.
 * - `failed`: the program ended in a way that says nothing of the file, such as by the system's want of memory.
 */
export type MediaToolErrorKind =
  | 'missing'
  | 'unreadable'
  | 'unsupported'
  | 'too-large'
  | 'timeout'
  | 'busy'
  | 'spool-full'
  | 'failed';

/** What a file has too much of. */
export type MediaBound = 'bytes' | 'pixels' | 'frames' | 'seconds' | 'memory';

export type MediaTool = 'ffmpeg' | 'sharp';

const RETRYABLE: ReadonlySet<MediaToolErrorKind> = new Set(['busy', 'spool-full']);

/**
 * A file was not described or converted. The message may be shown to clients: it has no path, no output of a program,
 * and nothing of the file's content.
 */
export class MediaToolError extends Error {
  override readonly name = 'MediaToolError';
  readonly kind: MediaToolErrorKind;
  /** The program that is missing or failed. */
  readonly tool: MediaTool | undefined;
  /** Of `too-large` only. */
  readonly bound: MediaBound | undefined;

  constructor(
    kind: MediaToolErrorKind,
    message: string,
    about: { tool?: MediaTool; bound?: MediaBound } = {},
  ) {
    super(message);
    this.kind = kind;
    this.tool = about.tool;
    this.bound = about.bound;
  }

  /** Whether the same call may succeed later, with the same file and the same programs. */
  get isRetryable(): boolean {
    return RETRYABLE.has(this.kind);
  }
}
