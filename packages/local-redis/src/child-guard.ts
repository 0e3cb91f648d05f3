import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/**
 * Reads `+pid` and `-pid` lines. Its input ends when the process that writes them ends for any reason, including a
 * SIGKILL. Then it kills the processes that are still on its list.
 */
const GUARD = `
pids=' '
while read -r line; do
  pid=\${line#?}
  case $line in
    +*) pids="$pids$pid " ;;
    -*) pids="\${pids%%" $pid "*} \${pids#*" $pid "}" ;;
  esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
`;

let guard: Writable | undefined;

/**
 * Ties a child process to this one: it is killed when this process ends for any reason.
 *
 * One small shell per process watches. It keeps neither this process nor its event loop alive.
 */
export function endWithThisProcess(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  guard ??= startGuard();
  const lines = guard;
  lines.write(`+${pid}\n`);
  child.once('exit', () => lines.write(`-${pid}\n`));
}

/** Starts a guard. Returns the input for its list, which ends at the latest with this process. */
export function startGuard(): Writable {
  // In a separate session, so that a Ctrl-C in the terminal does not end the guard before its work.
  const shell = spawn('/bin/sh', ['-c', GUARD], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  shell.unref();
  const { stdin } = shell;
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  return stdin;
}
