import { fileURLToPath } from 'node:url';
import { readAll } from '../children/read-output.js';
import { type ChildBounds, type ChildExit, type OutputFile, runChild } from '../children/run-child.js';
import { type MediaBound, MediaToolError } from '../errors/media-tool-error.js';
import { noRoom } from '../spool/no-room.js';
import type { SpoolFile } from '../spool/spool-file.js';
import { type SharpAnswer, type SharpJob, type SharpResult, sharpAnswerSchema } from './sharp-jobs.js';

const PROGRAM = fileURLToPath(new URL('./program/main.mjs', import.meta.url));

/** libvips stores pictures above this size in files with names. Here, the bound on memory holds. */
const ENVIRONMENT = { VIPS_DISC_THRESHOLD: '100g' };

/** A thumbnail as base64, and some numbers. */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface SharpCall {
  job: SharpJob;
  input: SpoolFile;
  output?: OutputFile;
  bounds: ChildBounds;
  signal?: AbortSignal;
}

/**
 * Does one job in a child of its own: a picture that takes over the decoder, or makes it crash, meets neither the edge nor
 * the picture of another tenant.
 */
export async function runSharp({ job, ...call }: SharpCall): Promise<SharpResult> {
  let printed: Buffer = Buffer.alloc(0);
  const exit = await runChild({
    ...call,
    tool: 'sharp',
    program: process.execPath,
    args: ['--max-old-space-size=128', PROGRAM, JSON.stringify(job)],
    environment: ENVIRONMENT,
    readers: [
      async (stdout) => {
        printed = await readAll(stdout, MAX_ANSWER_BYTES);
      },
    ],
  });
  const answer = parseAnswer(printed.toString());
  if (answer === undefined) throw crashOf(exit);
  if ('refused' in answer) throw refusalOf(answer);
  return answer;
}

function parseAnswer(printed: string): SharpAnswer | undefined {
  try {
    return sharpAnswerSchema.safeParse(JSON.parse(printed)).data;
  } catch {
    return undefined;
  }
}

/** SIGKILL is the system's: it is short of memory. Other signals are a decoder's end by this picture. */
function crashOf({ signal }: ChildExit): MediaToolError {
  if (signal === null || signal === 'SIGKILL') {
    return new MediaToolError('failed', 'The picture could not be read now.', { tool: 'sharp' });
  }
  return new MediaToolError('unreadable', 'The picture cannot be read, or takes too much memory.');
}

const BOUNDS: Readonly<Record<MediaBound, string>> = {
  pixels: 'The picture has too many pixels.',
  frames: 'The animation has too many frames.',
  seconds: 'The animation takes too long.',
  memory: 'The picture takes too much memory.',
  bytes: 'The picture cannot be made small enough.',
};

function refusalOf({ refused, bound = 'memory' }: Extract<SharpAnswer, { refused: string }>): MediaToolError {
  switch (refused) {
    case 'missing':
      return new MediaToolError('missing', 'sharp cannot be loaded on this machine: install it with npm.', {
        tool: 'sharp',
      });
    case 'unreadable':
      return new MediaToolError('unreadable', 'The file is not a picture that can be read.');
    case 'spool-full':
      return noRoom();
    case 'too-large':
      return new MediaToolError('too-large', BOUNDS[bound], { bound });
  }
}
