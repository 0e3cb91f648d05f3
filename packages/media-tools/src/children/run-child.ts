import { type ChildProcess, spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { Readable } from 'node:stream';
import { type MediaTool, MediaToolError } from '../errors/media-tool-error.js';
import type { SpoolFile } from '../spool/spool-file.js';

/** What a child may use up. */
export interface ChildBounds {
  timeoutMs: number;
  memoryBytes: number;
  maxOutputBytes: number;
}

/** What a child writes to. */
export type OutputFile = Pick<SpoolFile, 'fd' | 'reserve' | 'refresh'>;

export interface ChildRun {
  tool: MediaTool;
  /** The absolute path of the program. */
  program: string;
  args: readonly string[];
  /** All of its environment. Default: none. */
  environment?: Readonly<Record<string, string>>;
  /** The child opens it as INPUT. */
  input: SpoolFile;
  /** The child opens it as OUTPUT, and writes at most `maxOutputBytes`. Its room in the spool is reserved before. */
  output?: OutputFile;
  /**
   * Read what the child writes to PIPES, one each, and hold it back while they wait. If one throws, the child is killed.
   */
  readers: readonly PipeReader[];
  bounds: ChildBounds;
  signal?: AbortSignal;
}

export type PipeReader = (pipe: Readable) => Promise<void>;

/** How a child ended that was neither aborted nor too slow. */
export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What it printed to its standard error, without the middle if that is long. It may have content of the file. */
  complaint: string;
}

/** The paths by which a child opens its files. Each opening has an offset of its own, so children can seek. */
export const INPUT = '/dev/fd/3';
export const OUTPUT = '/dev/fd/4';

/** The pipes to this process, as FFmpeg names them: the standard output, and those after the files. */
export const PIPES = ['pipe:1', 'pipe:5', 'pipe:6'] as const;

/** How much is looked at of a child's standard error: of its beginning and of its end. */
const COMPLAINT_LENGTH = 8 * 1024;

/**
 * The only shell script there is. It is constant, and takes the program and its arguments as they are. It sets what the
 * kernel then enforces: no core dump, the bytes of each written file (in blocks of 512), the memory for data (in KiB)
 * and the CPU time. A system that is short of memory ends the child before this process.
 */
const BOUNDED =
  'echo 1000 2>/dev/null >/proc/self/oom_score_adj; ulimit -c 0; ulimit -n 64; ulimit -f "$1"; ulimit -d "$2"; ulimit -t "$3"; shift 3; exec "$@"';

/** So that the edge's own work goes first. */
const NICE = constants.priority.PRIORITY_LOW;

/**
 * Runs a program on a spool file. The program gets none of this process' environment, which holds secrets.
 *
 * When this settles, the child has ended and its parts are freed.
 *
 * @throws MediaToolError `timeout`; the signal's reason; what a reader throws.
 */
export async function runChild(run: ChildRun): Promise<ChildExit> {
  run.signal?.throwIfAborted();
  run.output?.reserve(run.bounds.maxOutputBytes);
  const child = startChild(run);
  const ended = whenEnded(child, run.tool);
  const kill = () => void child.kill('SIGKILL');
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, run.bounds.timeoutMs);
  run.signal?.addEventListener('abort', kill);
  try {
    const [exit] = await Promise.all([ended, ...readPipes(child, run.readers, kill)]);
    // A child that was ready at the last moment is as good as any.
    if (exit.signal !== null) {
      run.signal?.throwIfAborted();
      if (isLate)
        throw new MediaToolError('timeout', 'To prepare the file takes too long.', { tool: run.tool });
    }
    await run.output?.refresh();
    return exit;
  } finally {
    clearTimeout(timer);
    run.signal?.removeEventListener('abort', kill);
    kill();
    await ended.catch(() => undefined);
  }
}

function startChild({
  tool,
  program,
  args,
  environment = {},
  input,
  output,
  readers,
  bounds,
}: ChildRun): ChildProcess {
  const limits = [
    Math.ceil((output === undefined ? 0 : bounds.maxOutputBytes) / 512),
    Math.ceil(bounds.memoryBytes / 1024),
    // Two threads may use up twice the time. This bound is for a child whose parent is gone.
    Math.ceil((2 * bounds.timeoutMs) / 1000),
  ];
  try {
    return spawn('/bin/sh', ['-c', BOUNDED, 'sh', ...limits.map(String), program, ...args], {
      cwd: '/',
      env: environment,
      stdio: [
        'ignore',
        'pipe',
        'pipe',
        input.fd,
        output?.fd ?? 'ignore',
        ...readers.slice(1).map(() => 'pipe' as const),
      ],
    });
  } catch {
    throw notStarted(tool);
  }
}

function notStarted(tool: MediaTool): MediaToolError {
  return new MediaToolError('failed', 'No process could be started.', { tool });
}

/** Rejects if no child could be started. */
function whenEnded(child: ChildProcess, tool: MediaTool): Promise<ChildExit> {
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
    if (complaint.length > 2 * COMPLAINT_LENGTH) {
      complaint = complaint.slice(0, COMPLAINT_LENGTH) + complaint.slice(-COMPLAINT_LENGTH);
    }
  });
  return new Promise((resolve, reject) => {
    child.once('spawn', () => lowerPriority(child.pid));
    child.once('error', () => reject(notStarted(tool)));
    // `close` comes after `exit`, when all that the child printed was read.
    child.once('close', (code, signal) => resolve({ code, signal, complaint }));
  });
}

function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, NICE);
  } catch {
    // It has ended already.
  }
}

function readPipes(child: ChildProcess, readers: readonly PipeReader[], kill: () => void): Promise<void>[] {
  const [, stdout, , , , ...others] = child.stdio;
  return [stdout, ...others].map(async (pipe, index) => {
    if (!(pipe instanceof Readable)) return;
    try {
      await readers[index]?.(pipe);
    } catch (error) {
      kill();
      throw error;
    } finally {
      // Output that is not read holds back the child, and its `close`.
      pipe.resume();
    }
  });
}
