import { readdirSync, readFileSync } from 'node:fs';

/**
 * CPU time that a process has used since its start, in µs: user and system time of all its threads. Read from the
 * scheduler's statistics (`/proc/<pid>/task/<task>/schedstat`, which counts nanoseconds).
 */
export function cpuTimeOf(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(tasks).map((task) =>
    Number.parseInt(readFileSync(`${tasks}/${task}/schedstat`, 'utf8'), 10),
  );
  return nanoseconds.reduce((sum, value) => sum + value, 0) / 1_000;
}

/** Resident memory of a process, in bytes. */
export function residentMemoryOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1_024;
}
