import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { StepFailed } from './run.mjs';

/** Linking, sending, receiving, takeover and fan-out: what must be seen to work on each version of Node.js. */
const ESSENTIAL = ['worker-dies-while-linking', 'worker-is-killed', 'every-event-arrives'];

/** They fill the machine, they measure, or something of theirs must be done in time: nothing runs beside them. */
const ALONE = [
  'scenarios/attacks.test.ts',
  'scenarios/redis-is-lost.test.ts',
  'scenarios/slow/benchmarks-run.test.ts',
  'scenarios/slow/client-stalls.test.ts',
  'scenarios/slow/placers-race.test.ts',
  'scenarios/slow/worker-dies-at-each-end.test.ts',
  'scenarios/slow/worker-dies-at-each-step.test.ts',
  'scenarios/slow/workers-roll-at-once.test.ts',
];

/** They take so long that they run only when they are named: each starts a worker for each of a hundred deaths. */
const NAMED_ONLY = ['scenarios/slow/worker-dies-at-each-end.test.ts'];

const FOLDERS = { fast: 'scenarios', slow: 'scenarios/slow' };
const PROJECTS = ['--project', 'scenarios', '--project', 'slow-scenarios'];

/** @typedef {{ name: string, args: string[] }} ScenarioRun */

/** The arguments with which vitest runs the essential scenarios. */
export function essentialScenarios() {
  return [...PROJECTS, ...ESSENTIAL.map((name) => `${FOLDERS.fast}/${name}.test.ts`)];
}

/**
 * The runs of vitest for scenarios: those that run side by side, then those that run alone. No run without a scenario.
 * Without filters, those that run only when they are named are left out.
 * Throws if no scenario fits the filters.
 *
 * @param {object} options
 * @param {boolean} options.fast whether to run those of `scenarios`
 * @param {boolean} options.slow whether to run those of `scenarios/slow`
 * @param {readonly string[]} options.filters a scenario runs if its path contains one of these
 * @param {(folder: string) => string[]} [options.list] the files in a folder
 * @returns {ScenarioRun[]}
 */
export function scenarioRuns({ fast, slow, filters, list = (folder) => readdirSync(join(ROOT, folder)) }) {
  const folders = [...(fast ? [FOLDERS.fast] : []), ...(slow ? [FOLDERS.slow] : [])];
  const files = folders
    .flatMap((folder) => list(folder).map((file) => `${folder}/${file}`))
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) =>
      filters.length === 0 ? !NAMED_ONLY.includes(file) : filters.some((filter) => file.includes(filter)),
    );
  if (folders.length > 0 && files.length === 0)
    throw new StepFailed(`There is no scenario with ${filters.join(' or ')} in its path.`);
  const alone = files.filter((file) => ALONE.includes(file));
  const shared = files.filter((file) => !alone.includes(file));
  const runs = [
    { name: 'scenarios', args: [...PROJECTS, ...shared] },
    {
      name: 'scenarios that run alone',
      args: ['--no-file-parallelism', ...PROJECTS, ...alone],
    },
  ];
  return runs.filter(({ args }) => args.some((argument) => argument.endsWith('.test.ts')));
}
