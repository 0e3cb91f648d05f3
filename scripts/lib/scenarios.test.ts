import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './root.mjs';
import { essentialScenarios, scenarioRuns } from './scenarios.mjs';

const FILES: Record<string, string[]> = {
  scenarios: ['demo.test.ts', 'support', 'worker-is-killed.test.ts'],
  'scenarios/slow': [
    'client-stalls.test.ts',
    'worker-dies-at-each-end.test.ts',
    'worker-dies-at-each-step.test.ts',
    'worker-is-killed.test.ts',
  ],
};
const list = (folder: string) => FILES[folder] ?? [];
const all = { fast: true, slow: true, filters: [], list };

/** The files of each run. */
const filesOf = (options: Parameters<typeof scenarioRuns>[0]) =>
  scenarioRuns(options).map(({ args }) => args.filter((argument) => argument.endsWith('.test.ts')));

const SHARED = [
  'scenarios/demo.test.ts',
  'scenarios/worker-is-killed.test.ts',
  'scenarios/slow/worker-is-killed.test.ts',
];
const ALONE = ['scenarios/slow/client-stalls.test.ts', 'scenarios/slow/worker-dies-at-each-step.test.ts'];
const NAMED_ONLY = ['scenarios/slow/worker-dies-at-each-end.test.ts'];

it('runs scenarios that measure after the others, one at a time', () => {
  expect(filesOf(all)).toEqual([SHARED, ALONE]);
  expect(scenarioRuns(all).map(({ args }) => args.includes('--no-file-parallelism'))).toEqual([false, true]);
});

it.each([
  ['the fast ones', { slow: false }, [SHARED.slice(0, 2)]],
  ['those of a name', { filters: ['killed'] }, [SHARED.slice(1)]],
  ['one that runs only when it is named', { filters: ['dies-at-each-end'] }, [NAMED_ONLY]],
  ['none', { fast: false, slow: false }, []],
])('runs %s', (_, options, expected) => {
  expect(filesOf({ ...all, ...options })).toEqual(expected);
});

it('refuses a name that no scenario has', () => {
  expect(() => scenarioRuns({ ...all, filters: ['worker-is-kiled'] })).toThrow(
    'no scenario with worker-is-kiled',
  );
});

it('finds every scenario that it names', () => {
  const { list: _, ...ofThisRepository } = all;
  const [, alone = []] = filesOf(ofThisRepository);
  const files = essentialScenarios().filter((argument) => argument.endsWith('.test.ts'));
  expect(alone.length).toBe(7);
  for (const file of [...files, ...alone]) expect(existsSync(join(ROOT, file)), file).toBe(true);
});
