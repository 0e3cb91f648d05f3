import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Where and how long a helper program runs. */
export interface RunOptions {
  /** The PATH in which it is looked up and that it gets. Default: that of this process. */
  searchPath: string | undefined;
  cwd?: string;
  /** Milliseconds until it is killed. */
  timeoutMs: number;
}

/** Runs a program to its end. Resolves with its output. Rejects with its error output if it fails. */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { stdout } = await execute(program, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.searchPath === undefined ? {} : { env: { PATH: options.searchPath } }),
    timeout: options.timeoutMs,
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}

/** The reason why a program could not run or failed, in one line. */
export function whyItFailed(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ENOENT' && 'path' in error)
    return `there is no ${String(error.path)}`;
  const stderr = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : '';
  const lines = (stderr || error.message).trim().split('\n');
  return lines.at(-1) ?? error.message;
}
