import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Which cores the processes under test and everything else run on. */
export interface Cores {
  /** Put before a program's command, it keeps that program on the core of what is measured. */
  readonly launcher: readonly string[];
  /** Moves a process that runs already to that core. */
  readonly measure: (pid: number) => void;
  /** What was done, for a person. */
  readonly description: string;
}

/**
 * Gives the first core to what is measured, and the others to this process and whatever it starts from now on. Where
 * there is one core only, or no `taskset`, nothing is pinned and the description says so.
 * @param options.isSpread what is measured has all cores, those of the load included: several processes, which would
 * wait for each other on one core.
 */
export function assignCores({ isSpread = false } = {}): Cores {
  const all = allowedCores();
  const [measured, ...others] = all;
  const found = spawnSync('/bin/sh', ['-c', 'command -v taskset'], { encoding: 'utf8' });
  const taskset = found.stdout.trim();
  if (measured === undefined || others.length === 0) {
    return unpinned('there is one core only');
  }
  if (taskset === '') return unpinned('there is no taskset');
  const move = (pid: number, cores: string) =>
    spawnSync(taskset, ['--all-tasks', '-c', '-p', cores, String(pid)]).status === 0;
  if (!move(process.pid, others.join(','))) return unpinned('taskset is refused');
  const own = (isSpread ? all : [measured]).join(',');
  const loadPlace = others.length === 1 ? 'another' : 'the others';
  return {
    launcher: [taskset, '-c', own],
    measure: (pid) => move(pid, own),
    description: isSpread
      ? 'what is measured and Redis on all cores, the load on all but one'
      : `what is measured on one core, the load and Redis on ${loadPlace}`,
  };
}

function unpinned(reason: string): Cores {
  return { launcher: [], measure: () => {}, description: `not pinned: ${reason}` };
}

/** Reads a list such as `0-3,6`. */
function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
