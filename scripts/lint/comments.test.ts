import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../lib/root.mjs';

/** Spelled in two halves, so that this file passes its own test. */
const BANNED = new RegExp(
  [
    '@ts-' + 'ignore',
    '@ts-' + 'expect-error',
    '@ts-' + 'nocheck',
    'biome-' + 'ignore',
    '\\bTO' + 'DO\\b',
    '\\bFIX' + 'ME\\b',
  ].join('|'),
);

it('no comment silences a check or postpones work', () => {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx', '*.mjs', '*.lua'];
  const files = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  const findings = files
    .filter((file) => existsSync(join(ROOT, file)))
    .flatMap((file) =>
      readFileSync(join(ROOT, file), 'utf8')
        .split('\n')
        .flatMap((line, index) => (BANNED.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    );
  expect(files.length).toBeGreaterThan(0);
  expect(findings).toEqual([]);
});
