import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { run } from './run.mjs';
import { readCounts } from './test-counts.mjs';

/** @typedef {import('./test-counts.mjs').Counts} Counts */

/**
 * Runs vitest to its end. If the environment variable WAFLEET_TEST_COUNTS names a file, appends the counts to it as a
 * line of JSON. The lines of several runs can be summed.
 *
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} environment added to this process's own
 * @returns {Promise<{ code: number, counts: Counts }>}
 */
export async function runVitest(args, environment = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'wafleet-test-report-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  try {
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const code = await run(process.execPath, [vitest, 'run', ...reporters, ...args], environment);
    const counts = readCounts(report);
    noteCounts(code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts);
    return { code, counts };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {Counts} counts */
function noteCounts(counts) {
  const file = process.env.WAFLEET_TEST_COUNTS;
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(counts)}\n`);
}
