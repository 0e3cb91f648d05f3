/**
 * Prints the sum of the counts in the file that WAFLEET_TEST_COUNTS names (see lib/vitest.mjs): `N passed, N failed`.
 * Its argument is the exit code so far. If that is not 0 and no test failed, the failure counts as one failed test.
 */
import { existsSync, readFileSync } from 'node:fs';
import { inOneLine, sum } from './lib/test-counts.mjs';

const file = process.env.WAFLEET_TEST_COUNTS ?? '';
const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
const counts = sum(lines.map((line) => JSON.parse(line)));
const hasFailed = (process.argv[2] ?? '0') !== '0';
console.log(inOneLine(hasFailed && counts.failed === 0 ? { ...counts, failed: 1 } : counts));
