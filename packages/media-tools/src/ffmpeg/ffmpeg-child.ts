import { findProgram } from '@wafleet/runtime';
import {
  type ChildBounds,
  type ChildExit,
  INPUT,
  type OutputFile,
  type PipeReader,
  runChild,
} from '../children/run-child.js';
import { MediaToolError } from '../errors/media-tool-error.js';
import { noRoom } from '../spool/no-room.js';
import type { SpoolFile } from '../spool/spool-file.js';
import { DECODERS, DEMUXERS, type FfmpegFormat } from './demuxers.js';

export interface FfmpegOptions {
  /** The program, or its name on PATH. */
  path: string;
  bounds: ChildBounds;
  maxPixels: number;
  maxSeconds: number;
}

export interface FfmpegCall {
  input: SpoolFile;
  format: FfmpegFormat;
  /** How much of the input is written. Default: a second more than may be, so that too much is noticed. */
  seconds?: number;
  /** What is written: the arguments of each output, its file or pipe last. */
  outputs: readonly (readonly string[])[];
  output?: OutputFile;
  readers?: readonly PipeReader[];
  signal?: AbortSignal;
}

/** Runs FFmpeg on a file whose format is known. */
export class Ffmpeg {
  readonly #options: FfmpegOptions;

  constructor(options: FfmpegOptions) {
    this.#options = options;
  }

  /**
   * Returns how it ended, which `checkExit` judges.
   * @throws MediaToolError `missing`, `unsupported`, `timeout`; what a reader throws; the signal's reason.
   */
  async run({
    input,
    format,
    seconds,
    outputs,
    output,
    readers = [],
    signal,
  }: FfmpegCall): Promise<ChildExit> {
    const { path, bounds, maxPixels, maxSeconds } = this.#options;
    const demuxer = DEMUXERS[format];
    if (demuxer === undefined) {
      throw new MediaToolError(
        'unsupported',
        `A file of the format ${format} cannot be converted to this type.`,
      );
    }
    const program = await findProgram(path);
    if (program === undefined) throw missingFfmpeg();
    const args = [
      ...['-hide_banner', '-nostdin', '-v', 'error', '-y', '-threads', '2'],
      ...['-protocol_whitelist', 'file', '-f', demuxer, '-format_whitelist', demuxer],
      ...['-codec_whitelist', DECODERS.join(','), '-max_pixels', String(maxPixels)],
      ...['-i', INPUT],
      // Of the outputs and not of the input: there, FFmpeg 4.1 ends a copy of WAV at once.
      ...outputs.flatMap((output) => ['-t', String(seconds ?? maxSeconds + 1), ...output]),
    ];
    return await runChild({
      tool: 'ffmpeg',
      program,
      args,
      input,
      ...(output && { output }),
      readers,
      bounds,
      ...(signal && { signal }),
    });
  }
}

function missingFfmpeg(): MediaToolError {
  return new MediaToolError(
    'missing',
    'This file has to be converted, and ffmpeg is not installed. Install it, or set FFMPEG_PATH to the program.',
    { tool: 'ffmpeg' },
  );
}

/** @throws MediaToolError unless FFmpeg ended well. */
export function checkExit({ code, signal, complaint }: ChildExit): void {
  if (code === 0) return;
  if (signal === 'SIGXFSZ' || /File too large/.test(complaint)) {
    throw new MediaToolError('too-large', 'The converted file has too many bytes.', { bound: 'bytes' });
  }
  if (/No space left on device|Disk quota exceeded/.test(complaint)) throw noRoom();
  if (/exceeds specified max pixel count/.test(complaint)) {
    throw new MediaToolError('too-large', 'The video has too many pixels.', { bound: 'pixels' });
  }
  if (/Cannot allocate memory|malloc of size/.test(complaint)) {
    throw new MediaToolError('too-large', 'The file takes too much memory.', { bound: 'memory' });
  }
  if (/Unknown encoder|Unrecognized option|Requested output format|No such filter/.test(complaint)) {
    throw new MediaToolError(
      'missing',
      'The installed ffmpeg lacks an encoder or is too old: install a full one.',
      {
        tool: 'ffmpeg',
      },
    );
  }
  // SIGKILL is the system's: it is short of memory. 127 and 126: the program is gone or cannot be run.
  if (signal === 'SIGKILL' || code === 127 || code === 126 || /ulimit/.test(complaint)) {
    throw new MediaToolError('failed', 'The file could not be converted now.', { tool: 'ffmpeg' });
  }
  throw new MediaToolError('unreadable', 'The file is damaged, or holds what ffmpeg cannot read.');
}
