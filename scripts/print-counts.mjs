/** Prints the sum of the counts in the file that WAFLEET_TEST_COUNTS names (see lib/vitest.mjs): `N passed, N failed`. */
import { existsSync, readFileSync } from 'node:fs';
import { inOneLine, sum } from './lib/test-counts.mjs';

const file = process.env.WAFLEET_TEST_COUNTS ?? '';
const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
console.log(inOneLine(sum(lines.map((line) => JSON.parse(line)))));
