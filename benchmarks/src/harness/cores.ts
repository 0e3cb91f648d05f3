import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The assignment of cores to the processes under test and to everything else. */
export interface Cores {
  /** A command prefix that keeps a program on the measured core. */
  readonly launcher: readonly string[];
  /** Moves a running process to that core. */
  readonly measure: (pid: number) => void;
  /** A description for people. */
  readonly description: string;
}

/**
 * Assigns the first core to the processes under test, and the others to this process and all that it starts from now
 * on. If there is only one core or no `taskset`, nothing is pinned, and the description states that.
 * @param options.isSpread whether the processes under test may use all cores, including those of the load. For several
 * processes that would wait for each other on one core.
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
