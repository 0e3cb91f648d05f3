import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { StepFailed } from './run.mjs';

/** Linking, sending, receiving, takeover and fan-out: these are tested on each version of Node.js. */
const ESSENTIAL = ['worker-dies-while-linking', 'worker-is-killed', 'every-event-arrives'];

/** They fill the machine, measure, or have time limits, so each runs alone. */
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

/** They run only when named, because they take long: each starts a worker for each of 100 crashes. */
const NAMED_ONLY = ['scenarios/slow/worker-dies-at-each-end.test.ts'];

const FOLDERS = { fast: 'scenarios', slow: 'scenarios/slow' };
const PROJECTS = ['--project', 'scenarios', '--project', 'slow-scenarios'];

/** @typedef {{ name: string, args: string[] }} ScenarioRun */

/** The arguments with which vitest runs the essential scenarios. */
export function essentialScenarios() {
  return [...PROJECTS, ...ESSENTIAL.map((name) => `${FOLDERS.fast}/${name}.test.ts`)];
}

/**
 * The runs of vitest for scenarios: first those that run concurrently, then those that run alone. Empty runs are
 * omitted. Without filters, scenarios that run only when named are omitted.
 * Throws if no scenario matches the filters.
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
