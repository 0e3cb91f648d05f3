import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inOneLine, readCounts, sum } from './test-counts.mjs';

it('counts what passed, failed and was skipped, and a file that could not be loaded as failed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wafleet-test-counts-'));
  const file = join(folder, 'report.json');
  const report = {
    numPassedTests: 5,
    numFailedTests: 1,
    numPendingTests: 2,
    numTodoTests: 1,
    testResults: [
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
      { status: 'failed', assertionResults: [{ status: 'failed' }] },
      { status: 'failed', assertionResults: [] },
    ],
  };
  writeFileSync(file, JSON.stringify(report));

  expect(readCounts(file)).toEqual({ passed: 5, failed: 2, skipped: 3 });
  expect(readCounts(join(folder, 'never-written.json'))).toEqual({ passed: 0, failed: 0, skipped: 0 });
  rmSync(folder, { recursive: true });
});

it('formats them in one line, with skipped tests only if there are any', () => {
  const all = sum([
    { passed: 5, failed: 2, skipped: 3 },
    { passed: 7, failed: 0, skipped: 0 },
  ]);
  expect(inOneLine(all)).toBe('12 passed, 2 failed, 3 skipped');
  expect(inOneLine({ passed: 7, failed: 0, skipped: 0 })).toBe('7 passed, 0 failed');
});
