import type { ChildProcess } from 'node:child_process';

/** Resolves when a child process has ended, with its last output, or with how it ended if it printed nothing. */
export function watchEnd(child: ChildProcess): Promise<string> {
  let lastWords = '';
  for (const output of [child.stdout, child.stderr]) {
    output?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-2_000);
    });
  }
  return new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(lastWords.trim() || `it ended with ${signal ?? code}`));
  });
}
