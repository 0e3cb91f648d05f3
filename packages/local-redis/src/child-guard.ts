import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/**
 * Reads `+pid` and `-pid` lines; its input ends when the process that wrote them is gone, whatever ended it, a SIGKILL
 * included. Then it kills the processes that are still on its list.
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
 * Ties a child process to this one: it is killed when this process ends, however it ends.
 *
 * One small shell per process keeps watch; it keeps neither this process nor its event loop alive.
 */
export function endWithThisProcess(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  guard ??= startGuard();
  const lines = guard;
  lines.write(`+${pid}\n`);
  child.once('exit', () => lines.write(`-${pid}\n`));
}

/** Starts a guard and returns the input that its list is written to, which ends at the latest with this process. */
export function startGuard(): Writable {
  // A session of its own, so that a Ctrl-C for the terminal's processes does not end the guard before its work.
  const shell = spawn('/bin/sh', ['-c', GUARD], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  shell.unref();
  const { stdin } = shell;
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  return stdin;
}
