import { afterEach, expect, test } from 'vitest';
import { keepLogs } from './log-files.js';
import { Soak, type SoakOptions } from './soak.js';
import { soakTable, writeTable } from './soak-report.js';

/**
 * Random faults of every kind of process, of Redis, of WhatsApp and of clients under steady traffic.
 * `npm run soak -- --minutes N --seed N` runs it; the same seed gives the same choice of faults. SOAK_LOGS names a folder
 * for the logs of all processes.
 */
const options: SoakOptions = {
  minutes: Number(process.env.SOAK_MINUTES ?? 10),
  seed: Number(process.env.SOAK_SEED ?? Date.now() % 1_000_000),
  faultEveryMs: Number(process.env.SOAK_FAULT_EVERY_MS ?? 3_500),
  messagesPerSecond: 8,
  sendsPerSecond: 1,
};
/** Time for linking the sessions before the faults, and for recovery and comparison after them. */
const AROUND_MS = 20 * 60_000;

let soak: Soak | undefined;

afterEach(() => soak?.end(), 5 * 60_000);

test(
  'nothing is lost, stuck or published twice without a reason while random parts of the cluster break',
  async () => {
    const say = (line: string) => process.stdout.write(`[soak] ${line}\n`);
    say(`seed ${options.seed}, ${options.minutes} minutes`);
    if (process.env.SOAK_LOGS !== undefined) keepLogs(process.env.SOAK_LOGS);
    soak = await Soak.prepare(options);
    const result = await soak.run(say);
    const table = soakTable(options, result);
    say(`\n${table}`);
    for (const line of result.timeline) say(`fault ${line}`);
    for (const line of result.explainedDuplicates) say(`duplicate: ${line}`);
    if (process.env.SOAK_WRITE === '1')
      await writeTable(new URL('../../docs/reliability.md', import.meta.url), table);
    expect(result.violations).toEqual({
      lost: [],
      unexplainedDuplicates: [],
      disordered: [],
      foreign: [],
      stream: [],
      stuck: [],
      sends: { acknowledgedButMissing: [], doubled: [], refusedButSent: [] },
      processes: [],
    });
    const { worker = 0, edge = 0, placer = 0 } = result.peakMemoryMiB;
    expect(Math.max(worker, edge, placer), 'peak memory of a process, MiB').toBeLessThan(600);
  },
  options.minutes * 60_000 + AROUND_MS,
);
